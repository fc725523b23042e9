with

months as (

    select
        person_key,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month_start_date,
        {%- for amount in ['gross', 'refunded', 'store_fee', 'ad_revenue', 'llm_cost'] %}
        cast(sum({{ amount }}_usd) as decimal(18, 6)) as {{ amount }}_usd,
        {%- endfor %}
        cast(sum(order_count) as bigint) as order_count
    from {{ ref('int_payments_aggregated_to_person_days') }}
    group by person_key, cast({{ dbt.date_trunc('month', 'activity_date') }} as date)

)

select
    persons.person_id,
    months.month_start_date,

    months.order_count,
    months.gross_usd,
    months.refunded_usd,
    months.ad_revenue_usd,
    cast(months.gross_usd - months.refunded_usd + months.ad_revenue_usd as decimal(18, 6)) as revenue_usd,
    months.store_fee_usd,
    months.llm_cost_usd,
    cast(
        months.gross_usd - months.refunded_usd + months.ad_revenue_usd - months.store_fee_usd - months.llm_cost_usd
        as decimal(18, 6)
    ) as contribution_margin_usd
from months
inner join {{ ref('int_persons_described') }} as persons on months.person_key = persons.person_key
