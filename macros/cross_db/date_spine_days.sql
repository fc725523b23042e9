{% macro date_spine_days(first_day, last_day) %}
    {{- return(adapter.dispatch('date_spine_days', 'plumbline')(first_day, last_day)) -}}
{% endmacro %}

{#- A column expression that yields one row per day, both ends included. -#}
{% macro duckdb__date_spine_days(first_day, last_day) %}
    {{- return("cast(unnest(generate_series(" ~ first_day ~ ", " ~ last_day ~ ", interval '1 day')) as date)") -}}
{% endmacro %}

{% macro spark__date_spine_days(first_day, last_day) %}
    {{- return('explode(sequence(' ~ first_day ~ ', ' ~ last_day ~ ', interval 1 day))') -}}
{% endmacro %}
