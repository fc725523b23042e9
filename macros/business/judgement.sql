{% macro judgement(table_name) %}
    {#- One case expression per table from the rules of the contract: null for a good row, else the first
        reason that holds: missing, out_of_range, unknown. -#}
    {%- set table = var('contract')[table_name] -%}
    {%- set tests = [] -%}
    {%- for column in table.columns if column.get('required') -%}
        {%- if column.type == 'string' -%}
            {%- do tests.append([column.name ~ " is null or trim(" ~ column.name ~ ") = ''", 'missing:' ~ column.name]) -%}
        {%- else -%}
            {%- do tests.append([column.name ~ ' is null', 'missing:' ~ column.name]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if table.get('one_of') -%}
        {%- set blanks = [] -%}
        {%- for name in table.one_of -%}
            {%- do blanks.append("(" ~ name ~ " is null or trim(" ~ name ~ ") = '')") -%}
        {%- endfor -%}
        {%- do tests.append([blanks | join(' and '), 'missing:' ~ table.one_of[0]]) -%}
    {%- endif -%}
    {%- for column in table.columns -%}
        {%- set wrong = range_violations(column) -%}
        {%- if wrong -%}
            {%- do tests.append([wrong | join(' or '), 'out_of_range:' ~ column.name]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for column in table.columns if column.get('values') -%}
        {%- do tests.append([column.name ~ " not in ('" ~ column['values'] | join("', '") ~ "')", 'unknown:' ~ column.name]) -%}
    {%- endfor %}
    case
        {%- for test in tests %}
        when {{ test[0] }} then '{{ test[1] }}'
        {%- endfor %}
    end
{%- endmacro %}
