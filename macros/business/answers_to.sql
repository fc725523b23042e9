{% macro answers_to(questions) %}
    {#- Query of what fct_causal_estimates says to some questions: naive beside adjusted, then the checks. -#}
    with

    estimates as (

        select * from {{ ref('fct_causal_estimates') }}
        where question in ({{ quoted_list(questions) }})

    )

    select
        question,
        claim,
        reading,
        method,
        untreated_count,
        treated_count,
        untreated_value,
        treated_value,
        estimate,
        estimate_low,
        estimate_high,
        p_value,
        e_value_low,
        has_parted_before,
        verdict,
        explanation,
        reason
    from estimates
    order by
        question asc nulls last,
        case reading when 'effect' then 1 when 'negative_control' then 2 else 3 end asc nulls last,
        case method when 'naive' then 1 when 'aipw' then 2 else 3 end asc nulls last,
        method asc nulls last
{% endmacro %}
