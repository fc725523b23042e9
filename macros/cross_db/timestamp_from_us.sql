{% macro timestamp_from_us(microseconds) %}
    {{- return(adapter.dispatch('timestamp_from_us', 'plumbline')(microseconds)) -}}
{% endmacro %}

{#- UTC moment of a whole number of microseconds since 1970. -#}
{% macro duckdb__timestamp_from_us(microseconds) %}
    {{- return('make_timestamp(cast(' ~ microseconds ~ ' as bigint))') -}}
{% endmacro %}

{% macro spark__timestamp_from_us(microseconds) %}
    {{- return('timestamp_micros(cast(' ~ microseconds ~ ' as bigint))') -}}
{% endmacro %}
