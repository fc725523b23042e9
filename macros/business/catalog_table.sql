{% macro catalog_table(table_name) %}
    {#- A table of the team's catalog, or nothing in the contract's types where the team has no such table. -#}
    {%- if table_name in var('catalog_tables') -%}
        {{- return(source('catalog', table_name)) -}}
    {%- endif -%}
    {%- set nothing = [] -%}
    {%- for column in var('contract')[table_name].columns + [{'name': 'ingested_at', 'type': 'timestamp'}] -%}
        {%- do nothing.append('cast(null as ' ~ column.type ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {{- return('(select ' ~ nothing | join(', ') ~ ' where 1 = 0) as ' ~ table_name) -}}
{% endmacro %}
