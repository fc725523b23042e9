{{ config(materialized='table') }}

with

periods as (

    select
        bot_id,
        tag,
        {{ reporting_date('valid_from') }} as first_date,
        -- A tag taken off during a day still held on the days before.
        coalesce({{ add_days(reporting_date('valid_to'), -1) }}, cast('9999-12-31' as date)) as last_date
    from {{ ref('stg_product__bot_tags') }}

),

-- Periods that overlap or touch are one: else a bot would count twice under its tag.
marked as (

    select
        bot_id,
        tag,
        first_date,
        last_date,
        max(last_date) over (
            partition by bot_id, tag
            order by first_date asc nulls last, last_date asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as reached_date
    from periods
    where last_date >= first_date

),

grouped as (

    select
        bot_id,
        tag,
        first_date,
        last_date,
        sum(
            case
                when reached_date is null
                    or first_date > {{ add_days('least(reached_date, cast(\'9999-12-30\' as date))', 1) }}
                    then 1
                else 0
            end
        ) over (
            partition by bot_id, tag
            order by first_date asc nulls last, last_date asc nulls last
            rows between unbounded preceding and current row
        ) as period_number
    from marked

)

select
    {{ entity_key('bot_id') }} as bot_key,
    bot_id,
    tag,
    min(first_date) as valid_from_date,
    max(last_date) as valid_to_date
from grouped
group by bot_id, tag, period_number
