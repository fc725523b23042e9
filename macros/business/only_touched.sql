{% macro only_touched(touched) %}
    {#- Condition that limits a read of raw rows to the days (and files) to rebuild; touched is none for all. -#}
    {%- if touched is none -%}
        {{- return('1 = 1') -}}
    {%- elif touched.dates | length == 0 -%}
        {{- return('1 = 0') -}}
    {%- endif -%}
    {%- set condition = 'landed_date in (' ~ quoted_list(touched.dates, 'date') ~ ')' -%}
    {%- if touched.loads | length > 0 -%}
        {%- set condition = condition ~ ' and load_id in (' ~ quoted_list(touched.loads) ~ ')' -%}
    {%- endif -%}
    {{- return(condition) -}}
{% endmacro %}
