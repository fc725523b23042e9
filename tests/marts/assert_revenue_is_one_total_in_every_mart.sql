-- Orders, days, attribution, margins by any dimension and margins of people tell the same paid revenue and the
-- same refunds of a month.
with

told as (

    select
        'orders' as mart,
        cast({{ dbt.date_trunc('month', 'order_date') }} as date) as month_start_date,
        sum(gross_usd) as gross_usd,
        sum(refunded_usd) as refunded_usd,
        sum(store_fee_usd) as store_fee_usd
    from {{ ref('fct_orders') }}
    where is_converted
    group by cast({{ dbt.date_trunc('month', 'order_date') }} as date)
    union all
    select
        'days' as mart,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month_start_date,
        sum(gross_usd),
        sum(refunded_usd),
        sum(store_fee_usd)
    from {{ ref('agg_revenue__daily') }}
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
    union all
    select
        'attribution' as mart,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month_start_date,
        sum(gross_usd),
        sum(refunded_usd),
        sum(store_fee_usd)
    from {{ ref('agg_revenue_attribution__daily') }}
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
    union all
    select
        'margin by ' || margin_dimension as mart,
        month_start_date,
        sum(gross_usd),
        sum(refunded_usd),
        sum(store_fee_usd)
    from {{ ref('agg_unit_economics__monthly') }}
    group by margin_dimension, month_start_date
    union all
    select 'people' as mart, month_start_date, sum(gross_usd), sum(refunded_usd), sum(store_fee_usd)
    from {{ ref('fct_person_margins') }}
    group by month_start_date

),

totals as (

    select
        month_start_date,
        gross_usd,
        refunded_usd,
        store_fee_usd
    from told
    where mart = 'orders'

)

select
    told.mart,
    told.month_start_date,
    told.gross_usd,
    totals.gross_usd as orders_gross_usd
from told
left join totals on told.month_start_date = totals.month_start_date
where told.gross_usd <> coalesce(totals.gross_usd, 0)
    or told.refunded_usd <> coalesce(totals.refunded_usd, 0)
    or told.store_fee_usd <> coalesce(totals.store_fee_usd, 0)
