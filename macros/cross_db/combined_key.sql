{% macro combined_key(columns) %}
    {{- return(adapter.dispatch('combined_key', 'plumbline')(columns)) -}}
{% endmacro %}

{#- One 60-bit key of several texts, null apart from empty. -#}
{% macro duckdb__combined_key(columns) %}
    {{- return('cast(hash(' ~ columns | join(', ') ~ ') >> 4 as bigint)') -}}
{% endmacro %}

{#- Spark's hash skips nulls, so (null, x) would meet (x, null). -#}
{% macro spark__combined_key(columns) %}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce('=' || " ~ column ~ ", '~')") -%}
    {%- endfor -%}
    {{- return('shiftrightunsigned(xxhash64(' ~ parts | join(', ') ~ '), 4)') -}}
{% endmacro %}
