{% test non_overlapping_periods(model, start, end, partition_by=[]) %}

{#- Periods are half open: one may begin where the one before ended. A null end is open for ever.
    Sorted by start, any overlap shows between neighbours too, so one window suffices. -#}
{%- set keys = [partition_by] if partition_by is string else partition_by -%}
{%- set select_keys = keys | join(', ') ~ ', ' if keys else '' -%}
{%- set partition = 'partition by ' ~ keys | join(', ') if keys else '' -%}

with

followed as (

    select
        {{ select_keys }}{{ start }},
        {{ end }},
        lead({{ start }}) over (
            {{ partition }} order by {{ start }} nulls last, {{ end }} nulls last
        ) as next_start
    from {{ model }}

)

select *
from followed
where
    {{ start }} is null
    or {{ end }} < {{ start }}
    or next_start < {{ end }}
    or ({{ end }} is null and next_start is not null)

{% endtest %}
