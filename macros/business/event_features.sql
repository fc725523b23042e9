{% macro event_features() %}
    {#- Features the contract knows, in the order of their codes. -#}
    {%- for column in var('contract').events.columns if column.name == 'feature' -%}
        {{- return(column.known) -}}
    {%- endfor -%}
{% endmacro %}
