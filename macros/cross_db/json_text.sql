{% macro json_text(document, key) %}
    {{- return(adapter.dispatch('json_text', 'plumbline')(document, key)) -}}
{% endmacro %}

{#- Text of one key of a JSON object; null where the key is absent or null. A key may hold any sign but quotes
    and brackets, so that $device_id is a name and no path. -#}
{% macro duckdb__json_text(document, key) %}
    {{- return('json_extract_string(' ~ document ~ ", '$.\"" ~ key ~ "\"')") -}}
{% endmacro %}

{% macro spark__json_text(document, key) %}
    {{- return('get_json_object(' ~ document ~ ", '$[\\'" ~ key ~ "\\']')") -}}
{% endmacro %}
