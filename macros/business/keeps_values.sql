{% macro keeps_values(found, wanted) %}
    {#- Whether every value of an engine's type casts to a type of the contract without becoming another value.
        A whole number may become text or a decimal; a text that should be a time, or a double that should be
        a decimal, is for the mapping to convert knowingly. -#}
    {%- set whole = '^(tinyint|smallint|int|integer|bigint|long|short|byte|utinyint|usmallint|uinteger)$' -%}
    {%- set text = '^(string|text|uuid|enum.*|(character varying|varchar|char|bpchar)([(][0-9]+[)])?)$' -%}
    {%- if wanted == 'string' -%}
        {%- set allowed = [text, whole] -%}
    {%- elif wanted == 'bigint' -%}
        {%- set allowed = [whole] -%}
    {%- elif wanted == 'timestamp' -%}
        {%- set allowed = ['^(timestamp|timestamp_(s|ms|ntz)|timestamp with(out)? time zone|timestamptz)$'] -%}
    {%- else -%}
        {%- set allowed = ['^' ~ wanted.split('(')[0] ~ '$'] -%}
    {%- endif -%}
    {%- for pattern in allowed if modules.re.match(pattern, found) -%}
        {{- return(true) -}}
    {%- endfor -%}
    {%- if wanted.startswith('decimal') -%}
        {%- if modules.re.match(whole, found) -%}{{- return(true) -}}{%- endif -%}
        {%- set given = modules.re.match('^(?:decimal|numeric)[(]([0-9]+), ?([0-9]+)[)]$', found) -%}
        {#- More digits before the point than the contract holds fail loudly; digits behind it would be rounded. -#}
        {%- set scale = wanted.split(',')[1] | replace(')', '') | int -%}
        {{- return(given is not none and given.group(2) | int <= scale) -}}
    {%- endif -%}
    {{- return(false) -}}
{% endmacro %}
