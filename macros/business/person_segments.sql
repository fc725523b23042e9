{% macro person_segments() %}
    {#- What people are told apart by, in cohorts, funnels and slices alike; each is a column where it is used. -#}
    {{- return(['role', 'country', 'platform', 'language', 'acquisition_channel']) -}}
{% endmacro %}
