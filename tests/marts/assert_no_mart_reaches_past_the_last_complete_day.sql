-- A day that is still going on would look like a low day.
{% for name in [
    'agg_active_days__daily', 'agg_active_users__daily', 'agg_ads__daily', 'agg_answer_costs__daily_slices',
    'agg_answer_reactions__daily', 'agg_auto_scores__daily_slices', 'agg_bot_engagement__daily',
    'agg_bot_views__daily_source', 'agg_engagement__daily_slices', 'agg_experiment_exposures__daily',
    'agg_feature_adoption__daily',
    'agg_growth_accounting__daily', 'agg_quality_charts__daily', 'agg_revenue__daily', 'agg_revenue_attribution__daily',
    'agg_revenue_attribution__daily_segment', 'agg_satisfaction__daily_slices', 'agg_sessions__daily', 'agg_user_actions__daily',
    'agg_user_engagement__daily', 'fct_experiment_sequences', 'fct_quality_alerts', 'fct_user_days',
] -%}
select
    '{{ name }}' as model_name,
    max(activity_date) as last_date
from {{ ref(name) }}
having max(activity_date) > {{ as_of_date() }}
{{ 'union all' if not loop.last }}
{% endfor %}
