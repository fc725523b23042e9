{% macro open_catalog() %}
    {{- return(adapter.dispatch('open_catalog', 'plumbline')()) -}}
{% endmacro %}

{#- Attaches the team's DuckDB file read-only under the catalog's name, once per process: here rather than in
    the profile, so that a wrong path is an error that names the setting. A database that the profile attaches
    itself (another engine, a lakehouse) is used as it is. -#}
{% macro duckdb__open_catalog() %}
    {%- set database = env_var('PLUMBLINE_CATALOG_DATABASE', 'team_catalog') -%}
    {%- set known = run_query(
        "select 1 as found from duckdb_databases() where database_name = '" ~ (database | replace("'", "''")) ~ "'"
    ) -%}
    {%- if known.rows | length == 0 -%}
        {%- set path = env_var('PLUMBLINE_CATALOG_PATH', '') -%}
        {%- if not path -%}
            {{ exceptions.raise_compiler_error(
                "PLUMBLINE_CATALOG_PATH is not set and no database " ~ database
                ~ " is attached; PLUMBLINE_RAW=catalog reads the tables of that DuckDB file."
            ) }}
        {%- endif -%}
        {%- set quoted = "'" ~ (path | replace("'", "''")) ~ "'" -%}
        {%- if run_query('select file from glob(' ~ quoted ~ ')').rows | length == 0 -%}
            {{ exceptions.raise_compiler_error("PLUMBLINE_CATALOG_PATH: no file at " ~ path ~ ".") }}
        {%- endif -%}
        {%- do run_query(
            'attach if not exists ' ~ quoted ~ ' as ' ~ adapter.quote(database) ~ ' (type duckdb, read_only)'
        ) -%}
    {%- endif -%}
{% endmacro %}

{#- Spark's catalogs are part of the session. -#}
{% macro spark__open_catalog() %}
{% endmacro %}
