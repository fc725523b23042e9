{{ config(materialized='table') }}
{%- set history = number_var('experiment_history_days') -%}
-- What each unit did in each window of days around its exposure; a window without a row holds nothing. Days
-- count from the day of exposure, which is day 0 and starts with the exposure.
with

units as (

    select
        units.*,
        {{ reporting_date('phases.closed_at') }} as closing_date
    from {{ ref('int_units_assigned') }} as units
    inner join {{ ref('int_experiment_phases_bounded') }} as phases
        on units.experiment_id = phases.experiment_id and units.phase = phases.phase
    where not units.is_multi_exposed and not units.is_excluded

),

horizon as (

    select
        max(case when window_days > 0 then delay_days + window_days end) as days,
        count(case when window_days = 0 then 1 end) as open_window_count
    from {{ ref('int_outcome_windows_listed') }}

),

facts as (

    select
        units.experiment_id,
        units.phase,
        units.unit_type,
        units.unit_key,
        units.closing_date,
        {{ day_diff('units.exposure_date', 'days.activity_date') }} as age_days,
        days.activity_date,
        {{ each_measure('days.#') }}
    from units
    cross join horizon
    inner join {{ ref('int_unit_days_measured') }} as days
        on units.unit_type = days.unit_type
        and units.unit_key = days.unit_key
        and units.exposure_date <> days.activity_date
        and days.activity_date >= {{ add_days('units.exposure_date', '-' ~ history) }}
        and (
            days.activity_date < {{ add_days('units.exposure_date', 'horizon.days') }}
            or horizon.open_window_count > 0
        )
    union all
    select
        units.experiment_id,
        units.phase,
        units.unit_type,
        units.unit_key,
        units.closing_date,
        0 as age_days,
        units.exposure_date as activity_date,
        {{ each_measure('days.#') }}
    from units
    inner join {{ ref('int_exposure_days_measured') }} as days
        on units.experiment_id = days.experiment_id
        and units.phase = days.phase
        and units.unit_type = days.unit_type
        and units.unit_key = days.unit_key
    union all
    select
        units.experiment_id,
        units.phase,
        units.unit_type,
        units.unit_key,
        units.closing_date,
        {{ day_diff('units.exposure_date', 'moments.activity_date') }} as age_days,
        moments.activity_date,
        {{ each_measure('moments.#') }}
    from units
    inner join {{ ref('int_unit_moments_measured') }} as moments
        on units.unit_type = moments.unit_type
        and units.unit_key = moments.unit_key
        and (units.first_exposed_at <= moments.happened_at or units.exposure_date > moments.activity_date)

)

select
    facts.experiment_id,
    facts.phase,
    facts.unit_type,
    facts.unit_key,
    windows.delay_days,
    windows.window_days,
    {{ each_measure('cast(sum(facts.#) as bigint) as #') }}
from facts
inner join {{ ref('int_outcome_windows_listed') }} as windows
    on facts.age_days >= windows.delay_days
    and (
        (windows.window_days > 0 and facts.age_days < windows.delay_days + windows.window_days)
        or (windows.window_days = 0 and facts.activity_date < facts.closing_date)
    )
group by
    facts.experiment_id, facts.phase, facts.unit_type, facts.unit_key, windows.delay_days, windows.window_days
