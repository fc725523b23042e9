{{ config(materialized='table') }}
{%- set horizon = number_var('retention_horizon_days') %}

-- Every question about return has one form: active on at least one day of the ages first_day to last_day. The
-- named windows are asked of every segment; all ages and weeks of age besides them only of everybody together.
with

named as (

    select
        window_name,
        retention_kind,
        first_day,
        case when retention_kind = 'rolling' then {{ horizon }} else last_day end as last_day,
        is_for_bots,
        cast(power(2, row_number() over (order by window_name asc nulls last) - 1) as bigint) as window_bit
    from {{ ref('retention_windows') }}

),

-- Nobody is older than the data.
ages as (

    select cast({{ day_diff('first_day.calendar_date', 'days.calendar_date') }} as bigint) as age_days
    from {{ ref('int_dates_spined') }} as days
    cross join (select min(calendar_date) as calendar_date from {{ ref('int_dates_spined') }}) as first_day

),

numbered as (

    select
        'd' || cast(age_days as string) as window_name,
        'exact' as retention_kind,
        age_days as first_day,
        age_days as last_day
    from ages
    union all
    select 'days_' || cast(age_days as string) || '_' || cast(age_days + 6 as string), 'bracket', age_days, age_days + 6
    from ages
    where age_days % 7 = 0
    union all
    select 'rolling_' || cast(age_days as string), 'rolling', age_days, {{ horizon }}
    from ages
    where age_days <= {{ horizon }}

)

select
    coalesce(named.window_name, numbered.window_name) as window_name,
    coalesce(named.retention_kind, numbered.retention_kind) as retention_kind,
    cast(coalesce(named.first_day, numbered.first_day) as bigint) as first_day,
    cast(coalesce(named.last_day, numbered.last_day) as bigint) as last_day,
    named.window_name is not null as is_named,
    coalesce(named.is_for_bots, false) as is_for_bots,
    coalesce(named.window_bit, 0) as window_bit
from numbered
full outer join named
    on numbered.retention_kind = named.retention_kind
    and numbered.first_day = named.first_day
    and numbered.last_day = named.last_day
