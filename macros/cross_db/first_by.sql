{% macro first_by(value, order_columns) %}
    {{- return(adapter.dispatch('first_by', 'plumbline')(value, order_columns)) -}}
{% endmacro %}

{#- Aggregate: the value of the first row in the order of several columns, which must not be null. -#}
{% macro duckdb__first_by(value, order_columns) %}
    {{- return('arg_min(' ~ value ~ ', row(' ~ order_columns | join(', ') ~ '))') -}}
{% endmacro %}

{% macro spark__first_by(value, order_columns) %}
    {{- return('min_by(' ~ value ~ ', struct(' ~ order_columns | join(', ') ~ '))') -}}
{% endmacro %}
