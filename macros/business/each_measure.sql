{% macro each_measure(template) %}
    {#- One column per measure; '#' in the template stands for its name. -#}
    {%- set columns = [] -%}
    {%- for measure in unit_measures() -%}
        {%- do columns.append(template | replace('#', measure)) -%}
    {%- endfor -%}
    {{- return(columns | join(',\n    ')) -}}
{% endmacro %}
