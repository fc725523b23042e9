-- What was rated, what it cost and what people did next are told of the same answers.
with

counted as (

    {%- for name in [
        'agg_satisfaction__daily_slices', 'agg_answer_costs__daily_slices', 'agg_answer_reactions__daily',
    ] %}
    select activity_date, slice_dimension, slice_value, answer_count, '{{ name }}' as model_name
    from {{ ref(name) }}
    where slice_dimension in ('all', 'feature', 'model_version')
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    activity_date,
    slice_dimension,
    slice_value
from counted
group by activity_date, slice_dimension, slice_value
having count(*) <> 3 or min(answer_count) <> max(answer_count)
