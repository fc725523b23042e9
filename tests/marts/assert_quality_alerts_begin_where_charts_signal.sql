-- Each beginning of a signal is one alert, and there is no alert without one.
with

charted as (

    {%- for chart in ['shewhart', 'cusum', 'ewma'] %}
    select metric, model_version, activity_date, '{{ chart }}' as chart, {{ chart }}_state as direction
    from {{ ref('agg_quality_charts__daily') }}
    where is_new_{{ chart }}_signal
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    coalesce(charted.metric, alerts.metric) as metric,
    coalesce(charted.model_version, alerts.model_version) as model_version,
    coalesce(charted.activity_date, alerts.activity_date) as activity_date
from charted
full outer join {{ ref('fct_quality_alerts') }} as alerts
    on charted.metric = alerts.metric
    and charted.model_version = alerts.model_version
    and charted.activity_date = alerts.activity_date
    and charted.chart = alerts.chart
where charted.metric is null or alerts.metric is null or charted.direction <> alerts.direction
    or charted.direction = 'in_control'
