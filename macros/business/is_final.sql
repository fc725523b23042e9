{% macro is_final(day) %}
    {#- A day older than the late-data window no longer moves. -#}
    {{- return('(' ~ day_diff(day, as_of_date()) ~ ' >= ' ~ number_var('late_data_days') ~ ')') -}}
{% endmacro %}
