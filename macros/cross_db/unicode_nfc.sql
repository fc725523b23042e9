{% macro unicode_nfc(text) %}
    {{- return(adapter.dispatch('unicode_nfc', 'plumbline')(text)) -}}
{% endmacro %}

{% macro duckdb__unicode_nfc(text) %}
    {{- return('nfc_normalize(' ~ text ~ ')') -}}
{% endmacro %}

{#- Spark has no Unicode normalisation function; there the key is the text itself. -#}
{% macro spark__unicode_nfc(text) %}
    {{- return(text) -}}
{% endmacro %}
