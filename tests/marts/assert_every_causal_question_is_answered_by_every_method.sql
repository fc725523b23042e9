-- A question that loses a row would be judged by what is left of it. Stacked differences know one reading only.
{%- set methods = ['naive', 'stratified', 'matched', 'ipw', 'aipw', 'did', 'stacked_did'] %}
with

asked as (

    {% for method in methods -%}
    select
        question,
        reading,
        '{{ method }}' as method_name
    from {{ ref('int_causal_readings_listed') }}
    where ' ' || methods || ' ' like '% {{ method }} %'
        and ('{{ method }}' <> 'stacked_did' or reading = 'effect')
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    asked.question,
    asked.reading,
    asked.method_name,
    estimates.question as answered
from asked
full outer join {{ ref('fct_causal_estimates') }} as estimates
    on asked.question = estimates.question
    and asked.reading = estimates.reading
    and asked.method_name = estimates.method
where asked.question is null or estimates.question is null
