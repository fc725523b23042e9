{% macro catalog_table(table_name, mapped=[]) %}
    {#- A table of the team's catalog, or nothing in the contract's types where the team has no such table.
        Before it is read, its columns are compared with the contract's, so that a missing column or a changed
        type is an error with the column's name instead of a silent cast.
        mapped: columns of the contract that the mapping makes itself (renamed, converted, or null because
        the team has no such thing); they are not looked for. -#}
    {%- if table_name in var('catalog_tables') -%}
        {%- set relation = source('catalog', table_name) -%}
        {%- if execute -%}
            {%- do open_catalog() -%}
            {%- do check_catalog_table(table_name, relation, mapped) -%}
        {%- endif -%}
        {{- return(relation) -}}
    {%- endif -%}
    {%- set nothing = [] -%}
    {%- for column in var('contract')[table_name].columns + [{'name': 'ingested_at', 'type': 'timestamp'}] -%}
        {%- do nothing.append('cast(null as ' ~ column.type ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {{- return('(select ' ~ nothing | join(', ') ~ ' where 1 = 0) as ' ~ table_name) -}}
{% endmacro %}
