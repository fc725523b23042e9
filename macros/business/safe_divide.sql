{% macro safe_divide(numerator, denominator) %}
    {#- The one division to double at the end of a metric; null where there is nothing to divide by. -#}
    {{- return(
        '(cast(' ~ numerator ~ ' as double) / nullif(cast(' ~ denominator ~ ' as double), 0))'
    ) -}}
{% endmacro %}
