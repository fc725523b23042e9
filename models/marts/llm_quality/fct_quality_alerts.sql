with

charts as (

    select * from {{ ref('agg_quality_charts__daily') }}

),

{%- set charts = {
    'shewhart': 'standardised_value',
    'cusum': "case cusum_state when 'above' then cusum_high else -cusum_low end",
    'ewma': 'ewma_value',
} %}

alerts as (

    {%- for chart, evidence in charts.items() %}
    select
        metric,
        model_version,
        activity_date,
        '{{ chart }}' as chart,
        {{ chart }}_state as direction,
        base_kind,
        answer_count,
        daily_value,
        base_value,
        {{ evidence }} as evidence,
        is_final
    from charts
    where is_new_{{ chart }}_signal
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    metric,
    model_version,
    activity_date,
    chart,
    direction,
    -- A mean score is better when it is high, every other charted figure when it is low.
    (metric = 'mean_score') = (direction = 'below') as is_worse,
    base_kind,
    answer_count,
    daily_value,
    base_value,
    evidence,
    is_final
from alerts
