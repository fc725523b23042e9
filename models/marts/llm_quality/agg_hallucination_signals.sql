with

counted as (

    {%- for dimension in ['all', 'model_version'] %}
    {%- set value = "'all'" if dimension == 'all' else dimension %}
    select
        signal_name,
        '{{ dimension }}' as slice_dimension,
        {{ value }} as slice_value,
        count(*) as graded_count,
        count(case when is_raised then 1 end) as raised_count,
        count(case when is_hallucination then 1 end) as hallucinated_count,
        count(case when is_raised and is_hallucination then 1 end) as caught_count
    from {{ ref('int_signals_raised') }}
    group by signal_name{{ ', ' ~ value if dimension != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    signal_name,
    slice_dimension,
    slice_value,

    graded_count,
    raised_count,
    {{ safe_divide('raised_count', 'graded_count') }} as raised_rate,
    hallucinated_count,
    caught_count,
    {{ safe_divide('caught_count', 'raised_count') }} as signal_precision,
    {{ wilson_bound('caught_count', 'raised_count', 'low') }} as signal_precision_low,
    {{ wilson_bound('caught_count', 'raised_count', 'high') }} as signal_precision_high,
    {{ safe_divide('caught_count', 'hallucinated_count') }} as signal_recall,
    {{ wilson_bound('caught_count', 'hallucinated_count', 'low') }} as signal_recall_low,
    {{ wilson_bound('caught_count', 'hallucinated_count', 'high') }} as signal_recall_high
from counted
