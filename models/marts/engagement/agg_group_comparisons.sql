with

differences as (

    select * from {{ ref('py_group_differences') }}

),

comparisons as (

    select * from {{ ref('group_comparisons') }}

)

select
    differences.comparison,
    differences.metric,
    differences.adjustment,
    comparisons.dimension,
    comparisons.group_a_value,
    comparisons.group_b_value,
    {{ as_of_date() }} as as_of_date,

    differences.people_a_count,
    differences.people_b_count,
    differences.coverage_rate,
    differences.numerator_a,
    differences.denominator_a,
    differences.value_a,
    differences.numerator_b,
    differences.denominator_b,
    differences.value_b,
    differences.difference,
    differences.difference_low,
    differences.difference_high,
    differences.relative_difference,
    differences.p_value,
    differences.reason
from differences
inner join comparisons on differences.comparison = comparisons.comparison
