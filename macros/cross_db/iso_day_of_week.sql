{% macro iso_day_of_week(day) %}
    {{- return(adapter.dispatch('iso_day_of_week', 'plumbline')(day)) -}}
{% endmacro %}

{#- 1 = Monday ... 7 = Sunday. -#}
{% macro duckdb__iso_day_of_week(day) %}
    {{- return('cast(isodow(' ~ day ~ ') as integer)') -}}
{% endmacro %}

{% macro spark__iso_day_of_week(day) %}
    {{- return('(weekday(' ~ day ~ ') + 1)') -}}
{% endmacro %}
