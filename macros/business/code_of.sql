{% macro code_of(column_name, value) %}
    {#- The code that known_code() gave a value of an event column: code_of('event_name', 'bot_view'). -#}
    {%- for column in var('contract').events.columns if column.name == column_name -%}
        {%- if value not in column.known -%}
            {{ exceptions.raise_compiler_error("the contract knows no " ~ column_name ~ " " ~ value) }}
        {%- endif -%}
        {{- return((column.known.index(value) + 1) | string) -}}
    {%- endfor -%}
{% endmacro %}
