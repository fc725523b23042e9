{% test sums_to(model, column=none, total=1, group_by=[], tolerance=0, column_name=none) %}

{#- Summed as decimal, so that the verdict does not depend on the order of the rows. The total may
    be a column: then it must be the same on every row of the group, hence both extremes. -#}
{%- set part = column or column_name -%}
{%- set keys = [group_by] if group_by is string else group_by -%}

with

summed as (

    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        sum(cast({{ part }} as decimal(38, 12))) as sum_of_parts,
        min(cast({{ total }} as decimal(38, 12))) as least_total,
        max(cast({{ total }} as decimal(38, 12))) as greatest_total,
        count(*) as row_count
    from {{ model }}
    {%- if keys %}
    group by {{ keys | join(', ') }}
    {%- endif %}

)

select *
from summed
where
    row_count > 0
    and (
        sum_of_parts is null
        or least_total is null
        or abs(sum_of_parts - least_total) > {{ tolerance }}
        or abs(sum_of_parts - greatest_total) > {{ tolerance }}
    )

{% endtest %}
