{% macro minute_number(moment) %}
    {{- return(adapter.dispatch('minute_number', 'plumbline')(moment)) -}}
{% endmacro %}

{#- Calendar minutes since 1970 as an integer: cheaper to group by than a truncated timestamp. -#}
{% macro duckdb__minute_number(moment) %}
    {{- return('(epoch_us(' ~ moment ~ ') // 60000000)') -}}
{% endmacro %}

{% macro spark__minute_number(moment) %}
    {{- return('cast(floor(unix_micros(cast(' ~ moment ~ ' as timestamp)) / 60000000) as bigint)') -}}
{% endmacro %}
