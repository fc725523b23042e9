{% macro paired_arms(source, keys, described, statistics=none) %}
    {#- Each treatment beside the control of its experiment, column by column, for rows that agree in all keys.
        The registry says which arm is the control. -#}
    {%- if statistics is none -%}
        {%- set statistics = ['unit_count', 'nonzero_count', 'before_count', 'max_value',
                              'quantile_value', 'quantile_low', 'quantile_high'] -%}
        {%- for term in statistic_terms() -%}
            {%- do statistics.append('sum_' ~ term) -%}
        {%- endfor -%}
    {%- endif -%}
    select
        {%- for key in keys %}
        treatments.{{ key }},
        {%- endfor %}
        treatments.variation_id,
        variations.variation_number,
        controls.variation_id as control_variation_id,
        {{ safe_divide(
            'variations.expected_weight', '(variations.expected_weight + variations.control_weight)'
        ) }} as treatment_share,
        {%- for column in described %}
        treatments.{{ column }},
        {%- endfor %}
        {%- for statistic in statistics %}
        controls.{{ statistic }} as control_{{ statistic }},
        treatments.{{ statistic }} as treatment_{{ statistic }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source }} as treatments
    inner join {{ ref('int_experiment_variations_listed') }} as variations
        on treatments.experiment_id = variations.experiment_id
        and treatments.phase = variations.phase
        and treatments.variation_id = variations.variation_id
        and not variations.is_control
        -- An arm that should get nobody is a leak and no treatment.
        and variations.expected_weight > 0
    inner join {{ source }} as controls
        on variations.control_variation_id = controls.variation_id
        {%- for key in keys %}
        and treatments.{{ key }} = controls.{{ key }}
        {%- endfor %}
{% endmacro %}
