{{ config(materialized='table') }}

-- Arms of each phase: the registered ones, and what units saw without being registered (weight 0). The control
-- is number 0, whatever its name; treatments follow by name.
with

registered as (

    select
        experiment_id,
        phase,
        variation_id,
        is_control,
        expected_weight
    from {{ ref('stg_experiments__experiments') }}

),

exposed as (

    select
        experiment_id,
        phase,
        variation_id
    from {{ ref('int_units_assigned') }}
    union
    select
        experiment_id,
        phase,
        variation_id
    from {{ ref('int_experiment_counts_placed') }}
    where quarantine_reason = 'none' and unit_count > 0

),

listed as (

    select
        experiment_id,
        phase,
        variation_id,
        is_control,
        expected_weight,
        true as is_registered
    from registered
    union all
    select
        units.experiment_id,
        units.phase,
        units.variation_id,
        false as is_control,
        0 as expected_weight,
        false as is_registered
    from exposed as units
    left join registered
        on units.experiment_id = registered.experiment_id
        and units.phase = registered.phase
        and units.variation_id = registered.variation_id
    where registered.variation_id is null

),

controls as (

    select
        experiment_id,
        phase,
        min(variation_id) as control_variation_id,
        {{ first_by('expected_weight', ['variation_id']) }} as control_weight
    from registered
    where is_control
    group by experiment_id, phase

)

select
    listed.experiment_id,
    listed.phase,
    listed.variation_id,
    cast(row_number() over (
        partition by listed.experiment_id, listed.phase
        order by
            (case when listed.variation_id = controls.control_variation_id then 0 else 1 end) asc nulls last,
            listed.variation_id asc nulls last
    ) - count(controls.control_variation_id) over (
        partition by listed.experiment_id, listed.phase, listed.variation_id
    ) as bigint) as variation_number,
    coalesce(listed.variation_id = controls.control_variation_id, false) as is_control,
    cast(listed.expected_weight as decimal(9, 6)) as expected_weight,
    listed.is_registered,
    controls.control_variation_id,
    controls.control_weight
from listed
left join controls on listed.experiment_id = controls.experiment_id and listed.phase = controls.phase
