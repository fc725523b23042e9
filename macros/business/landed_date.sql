{% macro landed_date(table_name) %}
    {#- UTC day of the business time: the partition in which landing and staging count a row. -#}
    {{- return("coalesce(cast(" ~ var('contract')[table_name].time ~ " as date), cast('1900-01-01' as date))") -}}
{% endmacro %}
