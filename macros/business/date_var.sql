{% macro date_var(name) %}
    {#- A calendar day on its way into SQL, as a literal. -#}
    {%- set value = var(name) | string -%}
    {%- if not modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', value) -%}
        {{ exceptions.raise_compiler_error("vars.yml: " ~ name ~ " must be a date like 2026-01-31, found: " ~ value) }}
    {%- endif -%}
    {{- return("cast('" ~ value ~ "' as date)") -}}
{% endmacro %}
