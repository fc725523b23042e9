{% macro row_checksum(columns) %}
    {{- return(adapter.dispatch('row_checksum', 'plumbline')(columns)) -}}
{% endmacro %}

{#- 40 bits: eight million rows sum up without leaving a bigint on an engine that wraps silently. -#}
{% macro duckdb__row_checksum(columns) %}
    {{- return('cast(hash(' ~ columns | join(', ') ~ ') >> 24 as bigint)') -}}
{% endmacro %}

{% macro spark__row_checksum(columns) %}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '~')") -%}
    {%- endfor -%}
    {{- return('shiftrightunsigned(xxhash64(' ~ parts | join(', ') ~ '), 24)') -}}
{% endmacro %}
