{% macro causal_amount(name, source) %}
    {#- The measure that a column of the seed names; SQL cannot look a column up by its name. -#}
    {%- set branches = [] -%}
    {%- for measure in causal_measures() -%}
        {%- do branches.append("when '" ~ measure ~ "' then " ~ source ~ '.' ~ measure) -%}
    {%- endfor -%}
    {{- return('case ' ~ name ~ '\n            ' ~ branches | join('\n            ') ~ '\n        end') -}}
{% endmacro %}
