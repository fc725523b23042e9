{%- set measures = ['cost_micros', 'latency_ms'] %}
with

answers as (

    select
        *,
        cast(cost_usd * 1000000 as bigint) as cost_micros
    from {{ ref('int_answers_described') }}

),

sliced as (

    {%- for dimension in ['all', 'feature', 'model_version', 'bot'] %}
    {%- set value = {'all': "'all'", 'bot': 'bot_id'}.get(dimension, dimension) %}
    select
        '{{ dimension }}' as slice_dimension,
        {{ value }} as slice_value,
        answered_date,
        {%- for name in measures %}
        {%- for share in [50, 90, 99] %}
        percentile_disc(0.{{ share }}) within group (order by {{ name }}) as {{ name }}_p{{ share }},
        {%- endfor %}
        {%- endfor %}
        count(*) as answer_count,
        cast(sum(cost_usd) as decimal(18, 6)) as cost_usd,
        cast(sum(latency_ms) as bigint) as latency_ms
    from answers
    group by answered_date{{ ', ' ~ value if dimension != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    slice_dimension,
    slice_value,
    answered_date as activity_date,

    answer_count,
    cost_usd,
    {{ safe_divide('cost_usd', 'answer_count') }} as cost_usd_per_answer,
    cast(cost_micros_p50 as bigint) as cost_micros_p50,
    cast(cost_micros_p90 as bigint) as cost_micros_p90,
    cast(cost_micros_p99 as bigint) as cost_micros_p99,
    latency_ms,
    {{ safe_divide('latency_ms', 'answer_count') }} as latency_ms_per_answer,
    cast(latency_ms_p50 as bigint) as latency_ms_p50,
    cast(latency_ms_p90 as bigint) as latency_ms_p90,
    cast(latency_ms_p99 as bigint) as latency_ms_p99,

    {{ is_final('answered_date') }} as is_final
from sliced
