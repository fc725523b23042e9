{% macro is_enough_for_a_base() %}
    {#- Condition: so many answers, varying so much, that a level can be told from them. -#}
    base_answer_count >= {{ number_var('chart_base_answers') }}
    and cast(base_answer_count as decimal(19, 0)) * base_square_sum - cast(base_sum as decimal(19, 0)) * base_sum
    >= {{ number_var('chart_base_variance') }} * cast(base_answer_count as decimal(19, 0))
{% endmacro %}
