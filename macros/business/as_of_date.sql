{% macro as_of_date() %}
    {#- Last complete day of the data; the one clock of the project. -#}
    {{- return('(select as_of_date from ' ~ ref('int_as_of') ~ ')') -}}
{% endmacro %}
