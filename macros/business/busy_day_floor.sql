{% macro busy_day_floor() %}
    {#- Messages a day may hold before its minutes are counted. Fixed, so that the fact does not depend on the
        limit and a changed limit needs no rebuild of it; a limit below it could not be judged. -#}
    {%- set floor = 10 -%}
    {%- set limit = number_var('automation_messages_per_minute') | int -%}
    {%- if 0 < limit < floor -%}
        {{ exceptions.raise_compiler_error(
            "automation_messages_per_minute must be 0 (off) or at least " ~ floor ~ ", found: " ~ limit
        ) }}
    {%- endif -%}
    {{- return(floor) -}}
{% endmacro %}
