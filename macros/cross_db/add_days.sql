{#- Day plus a number of days, as a date. -#}
{% macro add_days(day, count) %}
    {{- return(adapter.dispatch('add_days', 'plumbline')(day, count)) -}}
{% endmacro %}

{% macro duckdb__add_days(day, count) %}
    {{- return('(' ~ day ~ ' + cast(' ~ count ~ ' as integer))') -}}
{% endmacro %}

{% macro spark__add_days(day, count) %}
    {{- return('date_add(' ~ day ~ ', cast(' ~ count ~ ' as int))') -}}
{% endmacro %}
