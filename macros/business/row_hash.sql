{% macro row_hash(table_name) %}
    {#- Content of a row without its arrival: breaks ties between copies, so that order never decides. -#}
    {{- return('md5(' ~ row_text(table_name) ~ ')') -}}
{% endmacro %}
