{% macro around_days(dates) %}
    {#- The days and their two neighbours, as text; none stays none. -#}
    {%- if dates is none -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set wider = [] -%}
    {%- for day in dates -%}
        {%- set parsed = modules.datetime.datetime.strptime(day, '%Y-%m-%d') -%}
        {%- for offset in [-1, 0, 1] -%}
            {%- do wider.append((parsed + modules.datetime.timedelta(days=offset)).strftime('%Y-%m-%d')) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(wider | unique | sort) -}}
{% endmacro %}
