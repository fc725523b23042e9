{% macro text_var(name) %}
    {#- A text setting on its way into SQL: letters, digits and the few signs that names of zones and dates need. -#}
    {%- set value = var(name) | string -%}
    {%- if not modules.re.match('^[A-Za-z0-9_+:/ .-]*$', value) -%}
        {{ exceptions.raise_compiler_error("vars.yml: " ~ name ~ " holds characters that no such setting needs: " ~ value) }}
    {%- endif -%}
    {{- return(value) -}}
{% endmacro %}
