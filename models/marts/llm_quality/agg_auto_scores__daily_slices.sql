{%- set scores = ['groundedness', 'number_mismatch', 'citation_missing', 'length_ratio', 'readability', 'repetition'] %}
with

scored as (

    select * from {{ ref('int_auto_scores_described') }}

),

sliced as (

    {%- for dimension in ['all', 'feature', 'model_version'] %}
    {%- set value = "'all'" if dimension == 'all' else dimension %}
    select
        scorer_version,
        '{{ dimension }}' as slice_dimension,
        {{ value }} as slice_value,
        answered_date,
        {%- for score in scores %}
        count({{ score }}) as {{ score }}_count,
        cast(sum({{ score }}) as decimal(38, 6)) as {{ score }}_sum,
        {%- endfor %}
        count(*) as scored_count,
        count(case when is_refusal then 1 end) as refused_count
    from scored
    group by scorer_version, answered_date{{ ', ' ~ value if dimension != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    scorer_version,
    slice_dimension,
    slice_value,
    answered_date as activity_date,

    scored_count,
    refused_count,
    {{ safe_divide('refused_count', 'scored_count') }} as refusal_rate,
    {%- for score in scores %}
    {{ score }}_count,
    {{ score }}_sum,
    {{ safe_divide(score ~ '_sum', score ~ '_count') }} as mean_{{ score }},
    {%- endfor %}

    {{ is_final('answered_date') }} as is_final
from sliced
