{% macro row_text(table_name) %}
    {#- The row as it came, without ingested_at: what makes two copies the same. -#}
    {%- set parts = [] -%}
    {%- for column in var('contract')[table_name].columns -%}
        {%- do parts.append(canonical_text(column)) -%}
    {%- endfor -%}
    {{- return(parts | join(" || '|' || ")) -}}
{% endmacro %}
