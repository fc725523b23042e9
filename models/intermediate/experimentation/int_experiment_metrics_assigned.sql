-- Which metrics are judged in a phase, and what for. Rows of the seed for the experiment itself come before
-- those for any; an experiment with a goal of its own takes no goal from any.
with

phases as (

    select
        experiment_id,
        phase,
        unit_type,
        {{ reporting_date('closed_at') }} as closing_date
    from {{ ref('int_experiment_phases_bounded') }}

),

counted as (

    select distinct
        experiment_id,
        phase
    from {{ ref('int_experiment_counts_placed') }}
    where quarantine_reason = 'none'

),

own_goals as (

    select distinct experiment_id
    from {{ ref('experiment_goals') }}
    where role = 'goal' and experiment_id <> 'any'

),

candidates as (

    select
        phases.experiment_id,
        phases.phase,
        phases.unit_type,
        phases.closing_date,
        goals.metric,
        case
            when goals.experiment_id = 'any' and goals.role = 'goal' and own_goals.experiment_id is not null
                then 'secondary'
            else goals.role
        end as role,
        goals.priority,
        goals.margin_relative,
        goals.owner,
        counted.experiment_id is not null as is_counted,
        row_number() over (
            partition by phases.experiment_id, phases.phase, goals.metric
            order by
                (case when goals.experiment_id = 'any' then 1 else 0 end) asc nulls last,
                goals.priority asc nulls last
        ) as preference
    from phases
    inner join {{ ref('experiment_goals') }} as goals
        on phases.experiment_id = goals.experiment_id or goals.experiment_id = 'any'
    left join own_goals on phases.experiment_id = own_goals.experiment_id
    left join counted on phases.experiment_id = counted.experiment_id and phases.phase = counted.phase

)

select
    candidates.experiment_id,
    candidates.phase,
    candidates.unit_type,
    candidates.metric,
    candidates.role,
    candidates.role = 'goal' and row_number() over (
        partition by candidates.experiment_id, candidates.phase, candidates.role
        order by candidates.priority asc nulls last, candidates.metric asc nulls last
    ) = 1 as is_primary,
    candidates.margin_relative,
    candidates.owner,
    candidates.closing_date,
    metrics.kind,
    metrics.numerator,
    metrics.denominator,
    metrics.delay_days,
    metrics.window_days,
    metrics.threshold,
    metrics.quantile_level,
    metrics.is_capped,
    metrics.good_direction,
    metrics.unit,
    -- What an estimate is divided by: days of the window, milliseconds, micros of a dollar.
    case
        when metrics.kind = 'participation' then metrics.window_days
        when metrics.kind not in ('mean', 'ratio', 'quantile') then 1
        when right(metrics.numerator, 7) = '_micros' then 1000000
        when right(metrics.numerator, 3) = '_ms' then 1000
        else 1
    end as scale
from candidates
inner join {{ ref('experiment_metrics') }} as metrics
    on candidates.metric = metrics.metric
    and (candidates.unit_type = metrics.unit_type or metrics.unit_type = 'any')
    -- Of an experiment that was counted elsewhere nothing else is known.
    and candidates.is_counted = (metrics.numerator = 'counted')
where candidates.preference = 1
