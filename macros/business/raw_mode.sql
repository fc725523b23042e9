{% macro raw_mode() %}
    {#- Where raw data comes from: seed (the shipped sample), lake (typed Parquet that landing wrote) or
        catalog (tables a team already has). -#}
    {%- set mode = env_var('PLUMBLINE_RAW', 'seed') -%}
    {%- if mode not in ('seed', 'lake', 'catalog') -%}
        {{ exceptions.raise_compiler_error("PLUMBLINE_RAW must be seed, lake or catalog, found: " ~ mode) }}
    {%- endif -%}
    {{- return(mode) -}}
{% endmacro %}
