-- Days on which retention is forecast: the last complete one, and every fourth week before it, to see what became
-- of the forecast. Whole weeks apart, so that as many weekly steps have passed for everybody.
with

days as (

    select
        calendar_date as origin_date,
        {{ day_diff('calendar_date', as_of_date()) }} as passed_days
    from {{ ref('int_dates_spined') }}

)

select
    origin_date,
    cast(passed_days as bigint) as passed_days,
    {{ add_days('origin_date', '-' ~ number_var('churn_days')) }} as watched_date
from days
where passed_days % 28 = 0 and passed_days < 28 * 13
