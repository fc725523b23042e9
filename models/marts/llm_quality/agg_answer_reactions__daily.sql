with

sliced as (

    {%- for dimension in ['all', 'feature', 'model_version'] %}
    {%- set value = "'all'" if dimension == 'all' else dimension %}
    select
        '{{ dimension }}' as slice_dimension,
        {{ value }} as slice_value,
        answered_date,
        count(*) as answer_count,
        count(case when is_abandoned then 1 end) as abandoned_count,
        count(case when is_chat then 1 end) as chat_answer_count,
        count(case when is_chat and is_regenerated then 1 end) as regenerated_count,
        count(case when is_chat and is_edited then 1 end) as edited_count,
        count(case when is_chat and is_reset then 1 end) as reset_count
    from {{ ref('int_answers_followed') }}
    group by answered_date{{ ', ' ~ value if dimension != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    slice_dimension,
    slice_value,
    answered_date as activity_date,

    answer_count,
    abandoned_count,
    {{ safe_divide('abandoned_count', 'answer_count') }} as abandonment_rate,
    chat_answer_count,
    regenerated_count,
    {{ safe_divide('regenerated_count', 'chat_answer_count') }} as regeneration_rate,
    edited_count,
    {{ safe_divide('edited_count', 'chat_answer_count') }} as quick_edit_rate,
    reset_count,
    {{ safe_divide('reset_count', 'chat_answer_count') }} as quick_reset_rate,

    {{ is_final('answered_date') }} as is_final
from sliced
