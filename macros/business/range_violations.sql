{% macro range_violations(column) %}
    {#- Conditions under which a present value lies outside what its column allows. -#}
    {%- set wrong = [] -%}
    {%- set name = column.name -%}
    {%- if column.get('observed') -%}
        {%- do wrong.append(name ~ ' < ' ~ date_var('earliest_event_time')) -%}
        {%- do wrong.append(name ~ " > ingested_at + interval '1' day") -%}
    {%- endif -%}
    {%- set bounds = [] -%}
    {%- if column.get('min') is not none -%}{%- do bounds.append(name ~ ' < ' ~ column.min) -%}{%- endif -%}
    {%- if column.get('max') is not none -%}{%- do bounds.append(name ~ ' > ' ~ column.max) -%}{%- endif -%}
    {%- if column.get('unless') and bounds -%}
        {%- do wrong.append('(not (' ~ column.unless ~ ') and (' ~ bounds | join(' or ') ~ '))') -%}
        {%- do wrong.append('(' ~ column.unless ~ ' and ' ~ name ~ ' > ' ~ column.then_max ~ ')') -%}
    {%- else -%}
        {%- do wrong.extend(bounds) -%}
    {%- endif -%}
    {%- if column.get('at_least') -%}{%- do wrong.append(name ~ ' < ' ~ column.at_least) -%}{%- endif -%}
    {%- if column.get('at_most') -%}{%- do wrong.append(name ~ ' > ' ~ column.at_most) -%}{%- endif -%}
    {{- return(wrong) -}}
{% endmacro %}
