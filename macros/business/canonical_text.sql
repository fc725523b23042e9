{% macro canonical_text(column) %}
    {#- One spelling of a value on every engine, null apart from the empty text. -#}
    {%- if column.type == 'timestamp' -%}
        {%- set text = 'cast(' ~ epoch_us(column.name) ~ ' as string)' -%}
    {%- elif column.type == 'string' -%}
        {%- set text = "replace(" ~ column.name ~ ", '|', '||')" -%}
    {%- else -%}
        {%- set text = 'cast(' ~ column.name ~ ' as string)' -%}
    {%- endif -%}
    {{- return("coalesce('=' || " ~ text ~ ", '~')") -}}
{% endmacro %}
