{{ config(materialized='table') }}

-- Money that cannot be told in US dollars, or not after the share of the store, in the words of who has to mend it.
with

amounts as (

    select
        'orders' as subject,
        'rate' as missing_kind,
        currency as missing_name,
        order_date as activity_date,
        not is_converted as is_missing
    from {{ ref('int_orders_unified') }}
    union all
    select
        'orders' as subject,
        'fee' as missing_kind,
        order_type || ',' || store as missing_name,
        order_date as activity_date,
        is_converted and store_fee_usd is null as is_missing
    from {{ ref('int_orders_unified') }}
    union all
    select
        'acquisition_costs' as subject,
        'rate' as missing_kind,
        currency as missing_name,
        activity_date,
        spend_usd is null as is_missing
    from {{ ref('int_acquisition_costs_converted') }}

),

missing as (

    select
        subject,
        missing_kind,
        missing_name,
        min(activity_date) as first_date,
        max(activity_date) as last_date,
        count(*) as missing_count
    from amounts
    where is_missing
    group by subject, missing_kind, missing_name

),

days as (

    select subject, missing_kind, activity_date, count(*) as row_count
    from amounts
    group by subject, missing_kind, activity_date

),

-- A share of the days concerned: in a long history a currency that is new today would drown.
rated as (

    select
        missing.subject,
        missing.missing_kind,
        missing.missing_name,
        missing.first_date,
        missing.last_date,
        missing.missing_count,
        cast(sum(days.row_count) as bigint) as row_count
    from missing
    inner join days
        on missing.subject = days.subject
        and missing.missing_kind = days.missing_kind
        and days.activity_date between missing.first_date and missing.last_date
    group by
        missing.subject, missing.missing_kind, missing.missing_name, missing.first_date, missing.last_date,
        missing.missing_count

)

select
    subject,
    missing_kind,
    missing_name,
    first_date,
    last_date,
    missing_count,
    row_count,
    {{ safe_divide('missing_count', 'row_count') }} as missing_rate,
    cast(missing_count as string) || ' of ' || cast(row_count as string) || ' rows of ' || subject || ' from '
    || cast(first_date as string) || ' to ' || cast(last_date as string)
    || case
        when missing_kind = 'rate'
            then ' are in ' || missing_name || ', which has no rate on their days: they are kept in their currency, '
                || 'their dollars are null and in no total. Add ' || missing_name || ',' || cast(first_date as string)
                || ',<usd_per_unit> to seeds/reference/exchange_rates.csv.'
        else ' are ' || missing_name || ' (kind and store), which has no fee on their days: nothing is taken off '
            || 'for the store. Add ' || missing_name || ',' || cast(first_date as string)
            || ',<fee_rate>,<reason> to seeds/reference/store_fees.csv.'
    end as message
from rated
