{#- Whole days from the earlier to the later date. -#}
{% macro day_diff(earlier, later) %}
    {{- return(adapter.dispatch('day_diff', 'plumbline')(earlier, later)) -}}
{% endmacro %}

{% macro duckdb__day_diff(earlier, later) %}
    {{- return("date_diff('day', " ~ earlier ~ ', ' ~ later ~ ')') -}}
{% endmacro %}

{% macro spark__day_diff(earlier, later) %}
    {{- return('datediff(' ~ later ~ ', ' ~ earlier ~ ')') -}}
{% endmacro %}
