-- Recounted from orders and people: what a cohort paid within its first days, each member on the own calendar.
with

paid as (

    select
        people.person_key,
        people.first_active_date,
        orders.gross_usd,
        orders.refunded_usd,
        {{ day_diff('people.first_active_date', 'orders.order_date') }} as age_days
    from {{ ref('int_persons_cohorted') }} as people
    inner join {{ ref('int_orders_unified') }} as orders on people.person_key = orders.person_key
    where orders.is_converted

),

cells as (

    select * from {{ ref('agg_ltv__cohorts') }}
    where cohort_grain = 'day' and segment_dimension = 'all'

),

recounted as (

    select
        cells.cohort_date,
        cells.window_days,
        sum(paid.gross_usd) as gross_usd,
        sum(paid.refunded_usd) as refunded_usd
    from cells
    inner join paid on cells.cohort_date = paid.first_active_date and cells.window_days > paid.age_days
    group by cells.cohort_date, cells.window_days

)

select
    cells.cohort_date,
    cells.window_days,
    cells.gross_usd,
    recounted.gross_usd as recounted_gross_usd,
    cells.refunded_usd,
    recounted.refunded_usd as recounted_refunded_usd
from cells
left join recounted on cells.cohort_date = recounted.cohort_date and cells.window_days = recounted.window_days
where cells.gross_usd <> coalesce(recounted.gross_usd, 0)
    or cells.refunded_usd <> coalesce(recounted.refunded_usd, 0)
    or {{ add_days('cells.cohort_date', 'cells.window_days') }} > {{ as_of_date() }}
