{% macro open_raw() %}
    {#- Runs before every build: judges the settings, makes the views through which the lake is read or
        attaches the catalog, and refuses to mix keys of two engine versions in one incremental table. -#}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed', 'freshness') -%}
        {%- do check_settings() -%}
        {%- do guard_engine_version() -%}
        {%- if raw_mode() == 'lake' -%}
            {%- set lake = env_var('PLUMBLINE_LAKE', 'data/lake') -%}
            {%- if not folder_has_files(lake ~ '/events') or not folder_has_files(lake ~ '/_landing/manifest') -%}
                {{ exceptions.raise_compiler_error(
                    "PLUMBLINE_LAKE: no landed lake at " ~ lake ~ "; run plumbline land first."
                ) }}
            {%- endif -%}
            {%- do run_query('create schema if not exists raw') -%}
            {%- for name, table in var('contract').items() -%}
                {%- set columns = table.columns + [{'name': 'ingested_at'}] -%}
                {%- do open_lake_table(name, lake ~ '/' ~ name, columns, true) -%}
            {%- endfor -%}
            {%- for name, table in var('landing').items() -%}
                {%- set folder = lake ~ '/_landing/' ~ name | replace('landing_', '') -%}
                {%- do open_lake_table(name, folder, table.columns, false) -%}
            {%- endfor -%}
        {%- elif raw_mode() == 'catalog' -%}
            {%- do open_catalog() -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
