{% macro quoted_list(values, type='string') %}
    {#- Values as SQL literals between commas; type date casts them. -#}
    {%- set literals = [] -%}
    {%- for value in values -%}
        {%- set text = "'" ~ (value | string | replace("'", "''")) ~ "'" -%}
        {%- do literals.append('cast(' ~ text ~ ' as date)' if type == 'date' else text) -%}
    {%- endfor -%}
    {{- return(literals | join(', ')) -}}
{% endmacro %}
