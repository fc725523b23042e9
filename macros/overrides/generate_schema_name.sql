{% macro generate_schema_name(custom_schema_name, node) %}
    {#- A folder is a schema. Only the named targets own their schemas; any other target (a developer's,
        a pull request's) gets its own prefix, so that nobody builds over published tables. -#}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.name in ('duckdb', 'spark', 'prod') -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{% endmacro %}
