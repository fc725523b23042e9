{% macro known_code(table_name, column_name) %}
    {#- Small code of a value in the contract's list of known ones, counted from 1; 0 for a value the list
        lacks, null for none. A smallint costs a fraction of a text to store and to group by. -#}
    {%- set found = [] -%}
    {%- for column in var('contract')[table_name].columns if column.name == column_name -%}
        {%- do found.append(column) -%}
    {%- endfor -%}
    cast(case {{ column_name }}
        {%- for value in found[0].known %}
        when '{{ value }}' then {{ loop.index }}
        {%- endfor %}
        else case when {{ column_name }} is not null then 0 end
    end as smallint)
{%- endmacro %}
