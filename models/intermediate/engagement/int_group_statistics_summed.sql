{{ config(materialized='table') }}

-- All that the comparison of two groups needs to know of their people, exactly: counts, sums, squares, products.
select
    members.comparison,
    measured.metric,
    members.stratum,
    members.side,
    count(*) as person_count,
    sum(measured.numerator) as numerator_sum,
    sum(measured.denominator) as denominator_sum,
    sum(measured.numerator * measured.numerator) as numerator_square_sum,
    sum(measured.denominator * measured.denominator) as denominator_square_sum,
    sum(measured.numerator * measured.denominator) as product_sum
from {{ ref('int_group_members_listed') }} as members
inner join {{ ref('int_group_persons_measured') }} as measured on members.person_key = measured.person_key
group by members.comparison, measured.metric, members.stratum, members.side
