{% macro folder_has_files(folder) %}
    {{- return(adapter.dispatch('folder_has_files', 'plumbline')(folder)) -}}
{% endmacro %}

{#- Whether a folder of the lake holds a Parquet file. -#}
{% macro duckdb__folder_has_files(folder) %}
    {%- set files = run_query(
        "select file from glob('" ~ (folder | replace("'", "''")) ~ "/*.parquet') limit 1"
    ) -%}
    {{- return(files.rows | length > 0) -}}
{% endmacro %}

{#- Spark has no query that lists a folder and says itself which path is missing. -#}
{% macro spark__folder_has_files(folder) %}
    {{- return(true) -}}
{% endmacro %}
