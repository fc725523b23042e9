-- Every answer has one feature, one model version, one role and one character (or none), so each dimension splits
-- the answers of a day exactly.
{%- set marts = {
    'agg_satisfaction__daily_slices': {
        'dimensions': ['feature', 'model_version', 'role', 'bot'],
        'sums': ['answer_count', 'rated_count', 'low_count', 'score_sum', 'weight_sum', 'weighted_score_sum'],
    },
    'agg_answer_costs__daily_slices': {
        'dimensions': ['feature', 'model_version', 'bot'],
        'sums': ['answer_count', 'cost_usd', 'latency_ms'],
    },
    'agg_answer_reactions__daily': {
        'dimensions': ['feature', 'model_version'],
        'sums': ['answer_count', 'abandoned_count', 'chat_answer_count', 'regenerated_count', 'edited_count',
            'reset_count'],
    },
} %}
{%- for mart, parts in marts.items() %}
{%- set outer_loop = loop %}
{%- for dimension in parts.dimensions %}
select
    '{{ mart }}' as model_name,
    '{{ dimension }}' as slice_dimension,
    activity_date
from {{ ref(mart) }}
where slice_dimension in ('all', '{{ dimension }}')
group by activity_date
having false
    {%- for name in parts.sums %}
    or sum(case when slice_dimension = 'all' then {{ name }} else -{{ name }} end) <> 0
    {%- endfor %}
{{ 'union all' if not (loop.last and outer_loop.last) }}
{%- endfor %}
{%- endfor %}
