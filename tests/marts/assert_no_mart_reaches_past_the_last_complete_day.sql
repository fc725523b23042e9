-- A day that is still going on would look like a low day.
{% for name in [
    'fct_user_days', 'agg_active_users__daily', 'agg_bot_engagement__daily', 'agg_bot_views__daily_source',
    'agg_user_engagement__daily',
] -%}
select
    '{{ name }}' as model_name,
    max(activity_date) as last_date
from {{ ref(name) }}
having max(activity_date) > {{ as_of_date() }}
{{ 'union all' if not loop.last }}
{% endfor %}
