{% macro reasons_about_time() %}
    {#- Table and reason, as one text, of rows whose own business time is missing or impossible. -#}
    {%- set found = [] -%}
    {%- for name, table in var('contract').items() -%}
        {%- do found.append(name ~ ' missing:' ~ table.time) -%}
        {%- do found.append(name ~ ' out_of_range:' ~ table.time) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
