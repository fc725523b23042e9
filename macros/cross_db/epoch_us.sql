{#- Microseconds since 1970 as a bigint. -#}
{% macro epoch_us(moment) %}
    {{- return(adapter.dispatch('epoch_us', 'plumbline')(moment)) -}}
{% endmacro %}

{% macro duckdb__epoch_us(moment) %}
    {{- return('epoch_us(' ~ moment ~ ')') -}}
{% endmacro %}

{% macro spark__epoch_us(moment) %}
    {{- return('unix_micros(cast(' ~ moment ~ ' as timestamp))') -}}
{% endmacro %}
