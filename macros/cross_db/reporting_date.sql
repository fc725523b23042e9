{% macro reporting_date(moment) %}
    {{- return(adapter.dispatch('reporting_date', 'plumbline')(moment)) -}}
{% endmacro %}

{#- UTC is by far the common case and needs no zone arithmetic on a hundred million rows. -#}
{% macro duckdb__reporting_date(moment) %}
    {%- set zone = text_var('reporting_tz') -%}
    {%- if zone | upper == 'UTC' -%}
        {{- return('cast(' ~ moment ~ ' as date)') -}}
    {%- endif -%}
    {{- return("cast(timezone('" ~ zone ~ "', timezone('UTC', " ~ moment ~ ")) as date)") -}}
{% endmacro %}

{% macro spark__reporting_date(moment) %}
    {%- set zone = text_var('reporting_tz') -%}
    {%- if zone | upper == 'UTC' -%}
        {{- return('cast(' ~ moment ~ ' as date)') -}}
    {%- endif -%}
    {{- return("to_date(from_utc_timestamp(" ~ moment ~ ", '" ~ zone ~ "'))") -}}
{% endmacro %}
