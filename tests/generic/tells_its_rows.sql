{% test tells_its_rows(model, message, stops=true) %}

{#- dbt says how many rows a test found. Where a row holds what somebody has to do, its words belong into the log:
    an error then ends with them, a warning comes with them. -#}
{%- if execute and flags.WHICH in ('build', 'test') -%}
    {%- set told = run_query('select ' ~ message ~ ' as message from ' ~ model ~ ' order by 1') -%}
    {%- if told.rows | length -%}
        {%- set words = told.columns[0].values() | join(' ') -%}
        {%- if stops -%}
            {{ exceptions.raise_compiler_error(words) }}
        {%- else -%}
            {%- do exceptions.warn(words) -%}
        {%- endif -%}
    {%- endif -%}
{%- endif -%}

select {{ message }} as message
from {{ model }}

{% endtest %}
