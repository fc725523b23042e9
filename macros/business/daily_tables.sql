{% macro daily_tables() %}
    {#- Landed tables in which rows arrive every day; the newest of them says how far the data reaches. -#}
    {%- set names = [] -%}
    {%- for name, table in var('contract').items() if table.get('flows') == 'daily' -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}
