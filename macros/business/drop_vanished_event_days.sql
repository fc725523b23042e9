{% macro drop_vanished_event_days(fingerprints='int_event_days_fingerprinted') %}
    {#- Pre-hook of the event facts: see drop_vanished_days. -#}
    {{- return(drop_vanished_days('event_date', 'select event_date from ' ~ ref(fingerprints))) -}}
{% endmacro %}
