{% test reconciles_with(
    model, to, group_by=[], expression='count(*)', to_expression=none, tolerance=0,
    to_group_by=none, to_where=none
) %}

{#- Both sides are stacked and grouped again rather than joined: a group that stands on one side
    only, or whose key is null, is then compared like any other. A missing group counts as zero. -#}
{%- set keys = [group_by] if group_by is string else group_by -%}
{%- set named_keys = group_by if to_group_by is none else to_group_by -%}
{%- set to_keys = [named_keys] if named_keys is string else named_keys -%}
{%- if keys | length != to_keys | length -%}
    {{ exceptions.raise_compiler_error(
        "reconciles_with: group_by and to_group_by differ in length."
    ) }}
{%- endif -%}

with

here as (

    select
        {%- for key in keys %}
        {{ key }} as key_{{ loop.index }},
        {%- endfor %}
        cast({{ expression }} as decimal(38, 9)) as value
    from {{ model }}
    {%- if keys %}
    group by {{ keys | join(', ') }}
    {%- endif %}

),

there as (

    select
        {%- for key in to_keys %}
        {{ key }} as key_{{ loop.index }},
        {%- endfor %}
        cast({{ to_expression or expression }} as decimal(38, 9)) as value
    from {{ to }}
    {%- if to_where %}
    where {{ to_where }}
    {%- endif %}
    {%- if to_keys %}
    group by {{ to_keys | join(', ') }}
    {%- endif %}

),

stacked as (

    select
        {%- for key in keys %}
        key_{{ loop.index }},
        {%- endfor %}
        coalesce(value, 0) as value_here,
        cast(0 as decimal(38, 9)) as value_there
    from here
    union all
    select
        {%- for key in keys %}
        key_{{ loop.index }},
        {%- endfor %}
        cast(0 as decimal(38, 9)) as value_here,
        coalesce(value, 0) as value_there
    from there

),

compared as (

    select
        {%- for key in keys %}
        key_{{ loop.index }} as {{ key if modules.re.match('^[a-z_][a-z0-9_]*$', key) else 'key_' ~ loop.index }},
        {%- endfor %}
        sum(value_here) as value_here,
        sum(value_there) as value_there
    from stacked
    {%- if keys %}
    group by
        {%- for key in keys %}
        key_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- endif %}

)

select *
from compared
where abs(value_here - value_there) > {{ tolerance }}

{% endtest %}
