-- Whatever units are cut by, each is in exactly one segment: segments add up to the whole.
with

segments as (

    select
        experiment_id,
        phase,
        segment_key,
        sum(unit_count) as unit_count
    from {{ ref('agg_experiment_health__segments') }}
    where segment_key not in ('all', 'tag')
    group by experiment_id, phase, segment_key

)

select
    segments.experiment_id,
    segments.phase,
    segments.segment_key,
    segments.unit_count,
    health.unit_count as whole_unit_count
from segments
inner join {{ ref('agg_experiment_health') }} as health
    on segments.experiment_id = health.experiment_id and segments.phase = health.phase
where segments.unit_count <> health.unit_count
