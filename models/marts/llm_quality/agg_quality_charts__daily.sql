select
    days.metric,
    days.model_version,
    days.answered_date as activity_date,

    days.base_kind,
    days.base_answer_count,
    days.answer_count,
    days.figure_sum,
    {{ safe_divide('days.figure_sum', 'days.answer_count') }} as daily_value,
    charts.base_value,
    charts.control_low,
    charts.control_high,
    charts.standardised_value,
    charts.cusum_high,
    charts.cusum_low,
    charts.ewma_value,
    charts.ewma_limit,
    {%- for chart in ['shewhart', 'cusum', 'ewma'] %}
    charts.{{ chart }}_state,
    charts.is_new_{{ chart }}_signal,
    {%- endfor %}

    {{ is_final('days.answered_date') }} as is_final
from {{ ref('int_quality_days_charted') }} as days
inner join {{ ref('py_quality_charts') }} as charts
    on days.metric = charts.metric
    and days.model_version = charts.model_version
    and days.day_number = charts.day_number
