{% macro entity_key(text) %}
    {{- return(adapter.dispatch('entity_key', 'plumbline')(text)) -}}
{% endmacro %}

{#- 60 bits, so that the key stays positive in a signed bigint. The engine's own hash costs a tenth of
    md5; it may change with an engine version, which is why open_raw() demands a full refresh then. -#}
{% macro duckdb__entity_key(text) %}
    {{- return('case when ' ~ text ~ ' is not null then cast(hash(' ~ text ~ ') >> 4 as bigint) end') -}}
{% endmacro %}

{% macro spark__entity_key(text) %}
    {{- return('case when ' ~ text ~ ' is not null then shiftrightunsigned(xxhash64(' ~ text ~ '), 4) end') -}}
{% endmacro %}
