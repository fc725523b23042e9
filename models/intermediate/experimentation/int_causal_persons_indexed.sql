{{ config(materialized='table') }}
-- Who a question is about, and the day from which each person's time is counted. Only people whose windows are
-- over: who joined yesterday has not failed to come back.
with

assigned as (

    select
        questions.question,
        questions.treatment_kind,
        questions.treatment_level,
        questions.untreated_level,
        cohorts.person_key,
        cohorts.first_active_date,
        cohorts.role,
        cohorts.country,
        cohorts.platform,
        cohorts.acquisition_channel,
        case questions.treatment_kind
            when 'role' then cohorts.role
            when 'variation' then coalesce(units.variation_id, 'rest')
            -- A lot that every engine draws alike and nothing a person does can influence.
            when 'lot' then case when substring(md5(persons.person_id), 1, 1) < '8' then 'first' else 'second' end
        end as given_level,
        questions.index_event,
        questions.index_delay_days,
        units.exposure_date,
        {{ reporting_date('phases.started_at') }} as opening_date,
        {{ reporting_date('phases.closed_at') }} as closing_date,
        coalesce(units.is_multi_exposed, false) as is_multi_exposed,
        greatest(
            questions.treatment_days,
            questions.outcome_start_day + questions.outcome_days,
            questions.negative_start_day + questions.negative_days
        ) as horizon_days
    from {{ ref('causal_questions') }} as questions
    cross join {{ ref('int_persons_cohorted') }} as cohorts
    inner join {{ ref('int_persons_described') }} as persons on cohorts.person_key = persons.person_key
    left join {{ ref('int_experiment_phases_bounded') }} as phases
        on case when questions.treatment_kind = 'variation' then questions.treatment_name end = phases.experiment_id
        and questions.treatment_phase = phases.phase
    left join {{ ref('int_units_assigned') }} as units
        on phases.experiment_id = units.experiment_id
        and phases.phase = units.phase
        and cohorts.person_key = case when units.unit_type = 'user' then units.unit_key end

),

dated as (

    select
        assigned.*,
        case
            when index_event = 'exposure' then coalesce(exposure_date, greatest(opening_date, first_active_date))
            else {{ add_days('first_active_date', 'index_delay_days') }}
        end as index_date
    from assigned

)

select
    question,
    person_key,
    first_active_date,
    index_date,
    role,
    country,
    platform,
    acquisition_channel,
    -- Null where what the person did decides; see int_causal_persons_classified.
    case
        when given_level = treatment_level then true
        when untreated_level = 'rest' or given_level = untreated_level then false
    end as is_given
from dated
where not is_multi_exposed
    and (index_event <> 'exposure' or index_date < closing_date)
    and {{ add_days('index_date', 'horizon_days - 1') }} <= {{ as_of_date() }}
    and (treatment_kind = 'measure' or untreated_level = 'rest' or given_level in (treatment_level, untreated_level))
