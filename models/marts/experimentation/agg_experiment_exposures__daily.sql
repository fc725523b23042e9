with

days as (

    select
        experiment_id,
        phase,
        variation_id,
        exposure_date as activity_date,
        count(*) as new_unit_count
    from {{ ref('int_units_described') }}
    group by experiment_id, phase, variation_id, exposure_date

)

select
    experiment_id,
    phase,
    variation_id,
    activity_date,
    new_unit_count,
    cast(sum(new_unit_count) over (
        partition by experiment_id, phase, variation_id
        order by activity_date asc nulls last
        rows between unbounded preceding and current row
    ) as bigint) as unit_count
from days
