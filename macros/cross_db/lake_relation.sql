{% macro lake_relation(folder, columns, with_load) %}
    {{- return(adapter.dispatch('lake_relation', 'plumbline')(folder, columns, with_load)) -}}
{% endmacro %}

{#- Reads all Parquet files of a lake folder. Every folder holds a zero-row file with the contract's schema,
    so the glob always binds and a file without an optional column reads as null there. The load of a row is
    the stem of its file. -#}
{% macro duckdb__lake_relation(folder, columns, with_load) %}
    {%- set listed = [] -%}
    {%- for column in columns -%}
        {%- do listed.append(column.name) -%}
    {%- endfor -%}
    {%- if with_load -%}
        {%- do listed.append('parse_filename(filename, true) as load_id') -%}
    {%- endif -%}
    {{- return(
        'select ' ~ listed | join(', ') ~ " from read_parquet('" ~ (folder | replace("'", "''"))
        ~ "/*.parquet', union_by_name = true, filename = true, hive_partitioning = false)"
    ) -}}
{% endmacro %}

{% macro spark__lake_relation(folder, columns, with_load) %}
    {%- set listed = [] -%}
    {%- for column in columns -%}
        {%- do listed.append(column.name) -%}
    {%- endfor -%}
    {%- if with_load -%}
        {%- do listed.append("regexp_extract(input_file_name(), '([^/]+)[.]parquet$', 1) as load_id") -%}
    {%- endif -%}
    {{- return('select ' ~ listed | join(', ') ~ ' from parquet.`' ~ folder ~ '`') -}}
{% endmacro %}
