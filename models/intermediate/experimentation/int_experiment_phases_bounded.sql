{{ config(materialized='table') }}

-- Phases of an experiment follow each other: one that was never closed ends where the next begins, so that a
-- moment lies in one phase at most.
with

phases as (

    select
        experiment_id,
        phase,
        min(name) as experiment_name,
        min(unit_type) as unit_type,
        min(status) as status,
        min(started_at) as started_at,
        max(planned_end_at) as planned_end_at,
        max(ended_at) as ended_at,
        max(planned_units) as planned_units,
        max(mde_relative) as mde_relative,
        min(tags) as tags,
        min(hypothesis) as hypothesis,
        count(*) as variation_count,
        count(case when is_control then 1 end) as control_count,
        sum(expected_weight) as total_weight
    from {{ ref('stg_experiments__experiments') }}
    group by experiment_id, phase

),

followed as (

    select
        *,
        lead(started_at) over (
            partition by experiment_id order by started_at asc nulls last, phase asc nulls last
        ) as next_started_at
    from phases

)

select
    experiment_id,
    phase,
    experiment_name,
    unit_type,
    status,
    started_at,
    planned_end_at,
    ended_at,
    least(
        coalesce(ended_at, cast('9999-12-31' as timestamp)),
        coalesce(next_started_at, cast('9999-12-31' as timestamp))
    ) as closed_at,
    planned_units,
    mde_relative,
    tags,
    hypothesis,
    variation_count,
    control_count,
    total_weight
from followed
