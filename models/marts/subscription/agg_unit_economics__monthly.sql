{%- set amounts = ['gross_usd', 'refunded_usd', 'store_fee_usd', 'ad_revenue_usd', 'llm_cost_usd'] %}
with

by_plan as (

    select * from {{ ref('int_margins_split_by_plan') }}

),

by_bot as (

    select * from {{ ref('int_margins_split_by_bot') }}

),

{% for dimension, source, value in [
    ('all', 'by_plan', "'all'"), ('plan', 'by_plan', 'plan_id'), ('bot', 'by_bot', 'bot_id'),
    ('workflow', 'by_bot', 'workflow'), ('model_version', 'by_bot', 'model_version'),
] -%}
months_of_{{ dimension }} as (

    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month_start_date,
        '{{ dimension }}' as margin_dimension,
        {%- for amount in amounts %}
        cast(sum({{ amount }}) as decimal(18, 6)) as {{ amount }},
        {%- endfor %}
        {{ value }} as margin_value
    from {{ source }}
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date){{ ', ' ~ value if dimension != 'all' }}

),

{% endfor -%}
united as (

    {% for dimension in ['all', 'plan', 'bot', 'workflow', 'model_version'] -%}
    select month_start_date, margin_dimension, margin_value, {{ amounts | join(', ') }} from months_of_{{ dimension }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

ended as (

    select
        *,
        -- The last day of the month.
        {{ add_days('cast(' ~ dbt.date_trunc('month', add_days('month_start_date', 31)) ~ ' as date)', -1) }}
            as month_last_date
    from united

)

select
    month_start_date,
    margin_dimension,
    margin_value,

    gross_usd,
    refunded_usd,
    ad_revenue_usd,
    cast(gross_usd - refunded_usd + ad_revenue_usd as decimal(18, 6)) as revenue_usd,
    store_fee_usd,
    llm_cost_usd,
    cast(gross_usd - refunded_usd + ad_revenue_usd - store_fee_usd - llm_cost_usd as decimal(18, 6))
        as contribution_margin_usd,
    {{ safe_divide(
        'gross_usd - refunded_usd + ad_revenue_usd - store_fee_usd - llm_cost_usd',
        'gross_usd - refunded_usd + ad_revenue_usd'
    ) }} as contribution_margin_ratio,

    month_last_date <= {{ as_of_date() }} as is_complete_month,
    {{ is_final('month_last_date') }} as is_final
from ended
