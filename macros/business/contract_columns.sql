{% macro contract_columns(table_name) %}
    {#- Columns of a landed table as the contract lists them, ingested_at last: a new column is one line there. -#}
    {%- set names = var('contract')[table_name].columns | map(attribute='name') | list -%}
    {{- return((names + ['ingested_at']) | join(', ')) -}}
{% endmacro %}
