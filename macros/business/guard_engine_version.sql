{% macro guard_engine_version() %}
    {#- Keys in the incremental tables come from the engine's own hash. Where another engine version built
        them, only a full refresh gives one set of keys. -#}
    {%- set built = adapter.get_relation(
        database=target.database,
        schema=generate_schema_name('staging', none) | trim,
        identifier='stg_product__events__judged'
    ) -%}
    {%- if built is not none and not flags.FULL_REFRESH -%}
        {%- set strangers = run_query(
            'select 1 as stranger from ' ~ built ~ ' where key_version <> ' ~ entity_key("'plumbline'") ~ ' limit 1'
        ) -%}
        {%- if strangers.rows | length > 0 -%}
            {{ exceptions.raise_compiler_error(
                built ~ " was built by another version of the engine; rebuild it once with --full-refresh."
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
