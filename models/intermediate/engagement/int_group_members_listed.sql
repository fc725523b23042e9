{%- set dimensions = [
    'role', 'country', 'platform', 'language', 'acquisition_channel', 'first_bot_type', 'random_half',
] %}
-- Who stands on which side of a comparison. The rest is everyone whose value is known and another one.
with

valued as (

    select
        comparisons.comparison,
        comparisons.group_a_value,
        comparisons.group_b_value,
        persons.person_key,
        case comparisons.dimension
            {%- for dimension in dimensions %}
            when '{{ dimension }}' then persons.{{ dimension }}
            {%- endfor %}
        end as group_value,
        -- What forms the groups cannot be held equal between them.
        persons.tenure_band || ', '
        || case when comparisons.dimension = 'country' then 'any country' else persons.country end as stratum
    from {{ ref('int_persons_compared') }} as persons
    cross join {{ ref('group_comparisons') }} as comparisons

)

select
    comparison,
    'a' as side,
    stratum,
    person_key
from valued
where group_value = group_a_value
union all
select
    comparison,
    'b' as side,
    stratum,
    person_key
from valued
where group_value = group_b_value
    or (group_b_value = 'rest' and group_value <> group_a_value and group_value <> 'unknown')
