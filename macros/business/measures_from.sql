{% macro measures_from(given) %}
    {#- Columns of all measures: the given expressions, 0 for the others. -#}
    {%- set columns = [] -%}
    {%- for measure in unit_measures() -%}
        {%- do columns.append('cast(' ~ given.get(measure, '0') ~ ' as bigint) as ' ~ measure) -%}
    {%- endfor -%}
    {%- for measure in given if measure not in unit_measures() -%}
        {{ exceptions.raise_compiler_error("unit_measures() lists no " ~ measure) }}
    {%- endfor -%}
    {{- return(columns | join(',\n    ')) -}}
{% endmacro %}
