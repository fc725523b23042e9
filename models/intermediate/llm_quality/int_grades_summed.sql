{{ config(materialized='table') }}

-- Labels of people and flags of judges by slice: all that a corrected rate needs.
with

graded as (

    select
        *,
        case when is_hallucination then 1 else 0 end as y,
        case when is_judge_flag then 1 else 0 end as f,
        is_graded and is_judged as is_paired
    from {{ ref('int_answers_graded') }}

)

{%- for dimension in ['all', 'feature', 'model_version', 'role'] %}
{%- set value = "'all'" if dimension == 'all' else dimension %}
select
    '{{ dimension }}' as slice_dimension,
    {{ value }} as slice_value,
    count(case when is_graded then 1 end) as graded_count,
    count(case when is_graded and is_refusal then 1 end) as refused_count,
    count(case when y = 1 then 1 end) as hallucinated_count,
    count(case when is_judged then 1 end) as judged_count,
    count(case when f = 1 then 1 end) as judge_flag_count,
    count(case when is_paired then 1 end) as paired_count,
    count(case when is_paired and y = 1 and f = 1 then 1 end) as flagged_hallucination_count,
    count(case when is_paired and y = 1 and f = 0 then 1 end) as missed_hallucination_count,
    count(case when is_paired and y = 0 and f = 1 then 1 end) as flagged_supported_count,
    count(case when is_paired and y = 0 and f = 0 then 1 end) as passed_supported_count
from graded
{{ 'group by ' ~ dimension if dimension != 'all' else 'having count(*) > 0' }}
{{ 'union all' if not loop.last }}
{%- endfor %}
