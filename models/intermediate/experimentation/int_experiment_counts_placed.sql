-- What was counted elsewhere, with its phase and metric. A row that no registered phase holds, or whose metric
-- is no counted one, is kept and counted as quarantined; a registry that comes later places it.
select
    counts.experiment_id,
    counts.phase,
    counts.variation_id,
    counts.metric,
    counts.exposure_date,
    case
        when metrics.window_days > 0
            then {{ add_days('counts.exposure_date', 'metrics.delay_days + metrics.window_days - 1') }}
        when metrics.window_days = 0 then {{ add_days(reporting_date('phases.closed_at'), -1) }}
    end as matured_date,
    counts.unit_count,
    counts.success_count,
    counts.load_id,
    counts.landed_date,
    case
        when phases.phase is null then 'no_phase'
        when metrics.metric is null then 'no_metric'
        else 'none'
    end as quarantine_reason
from {{ ref('stg_experiments__counts') }} as counts
left join {{ ref('int_experiment_phases_bounded') }} as phases
    on counts.experiment_id = phases.experiment_id and counts.phase = phases.phase
left join {{ ref('experiment_metrics') }} as metrics
    on counts.metric = metrics.metric and metrics.numerator = 'counted'
