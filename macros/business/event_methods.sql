{% macro event_methods() %}
    {#- Ways a message comes about that the contract knows, in the order of their codes. -#}
    {%- for column in var('contract').events.columns if column.name == 'method' -%}
        {{- return(column.known) -}}
    {%- endfor -%}
{% endmacro %}
