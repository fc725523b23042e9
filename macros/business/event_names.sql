{% macro event_names() %}
    {#- Event names the contract knows, in the order of their codes. -#}
    {%- for column in var('contract').events.columns if column.name == 'event_name' -%}
        {{- return(column.known) -}}
    {%- endfor -%}
{% endmacro %}
