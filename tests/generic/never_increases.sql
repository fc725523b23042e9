{% test never_increases(model, column=none, order_by=none, partition_by=[], column_name=none) %}

{%- set value = column or column_name -%}
{%- set steps = [order_by] if order_by is string else order_by -%}
{%- set keys = [partition_by] if partition_by is string else partition_by -%}
{%- set partition = 'partition by ' ~ keys | join(', ') if keys else '' -%}
{%- if not steps -%}
    {{ exceptions.raise_compiler_error("never_increases on " ~ value ~ " needs order_by.") }}
{%- endif -%}

with

-- A null says nothing about the course of a value, so its neighbours are compared across it.
compared as (

    select
        {%- for name in keys + steps %}
        {{ name }},
        {%- endfor %}
        {{ value }},
        lag({{ value }}) over (
            {{ partition }}
            order by {{ steps | join(' nulls last, ') }} nulls last, {{ value }} desc nulls last
        ) as previous_value
    from {{ model }}
    where {{ value }} is not null

)

select *
from compared
where {{ value }} > previous_value

{% endtest %}
