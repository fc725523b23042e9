-- Nothing to divide by is null, nothing to divide is 0, and whole numbers do not lose their fraction.
with

cases as (

    select 1 as numerator, 2 as denominator, cast(0.5 as double) as quotient
    union all
    select 0, 4, cast(0 as double)
    union all
    select 3, 0, cast(null as double)
    union all
    select 0, 0, cast(null as double)
    union all
    select 3, null, cast(null as double)

)

select
    numerator,
    denominator,
    {{ safe_divide('numerator', 'denominator') }} as found_quotient
from cases
where {{ safe_divide('numerator', 'denominator') }} is distinct from quotient
