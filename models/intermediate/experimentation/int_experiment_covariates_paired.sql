-- One row per treatment and measure before exposure; metrics of one measure share it. What was counted elsewhere
-- has no before.
with

ranked as (

    select
        *,
        row_number() over (
            partition by experiment_id, phase, variation_id, measure order by metric asc nulls last
        ) as measure_rank
    from {{ ref('int_experiment_cells_paired') }}
    where segment_key = 'all' and cohort = 'all' and measure <> 'counted'

)

select
    experiment_id,
    phase,
    variation_id,
    measure,
    scale,
    {%- for arm in ['control', 'treatment'] %}
    {{ arm }}_unit_count,
    {{ arm }}_sum_x,
    {{ arm }}_sum_xx,
    {%- endfor %}
    before_numerator_pivot
from ranked
where measure_rank = 1
