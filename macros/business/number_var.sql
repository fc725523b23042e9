{% macro number_var(name) %}
    {#- A number on its way into SQL: a setting from the command line reaches SQL as text otherwise. -#}
    {%- set value = var(name) | string -%}
    {%- if not modules.re.match('^-?[0-9]+([.][0-9]+)?$', value) -%}
        {{ exceptions.raise_compiler_error("vars.yml: " ~ name ~ " must be a number, found: " ~ value) }}
    {%- endif -%}
    {{- return(value) -}}
{% endmacro %}
