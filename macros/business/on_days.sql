{% macro on_days(column, dates) %}
    {#- Condition that limits a read to these days; none is no limit. -#}
    {%- if dates is none -%}
        {{- return('1 = 1') -}}
    {%- elif dates | length == 0 -%}
        {{- return('1 = 0') -}}
    {%- endif -%}
    {{- return(column ~ ' in (' ~ quoted_list(dates, 'date') ~ ')') -}}
{% endmacro %}
