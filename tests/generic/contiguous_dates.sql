{% test contiguous_dates(model, column=none, partition_by=[], column_name=none) %}

{%- set day = column or column_name -%}
{%- set keys = [partition_by] if partition_by is string else partition_by -%}
{%- set select_keys = keys | join(', ') ~ ', ' if keys else '' -%}
{%- set partition = 'partition by ' ~ keys | join(', ') if keys else '' -%}

with

days as (

    select distinct {{ select_keys }}{{ day }}
    from {{ model }}

),

followed as (

    select
        {{ select_keys }}{{ day }},
        lead({{ day }}) over ({{ partition }} order by {{ day }} nulls last) as next_date
    from days

)

select *
from followed
where
    {{ day }} is null
    or next_date <> cast({{ dbt.dateadd('day', 1, day) }} as date)

{% endtest %}
