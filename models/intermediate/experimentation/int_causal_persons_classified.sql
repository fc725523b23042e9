{{ config(materialized='table') }}
-- One row per reading and person: treated or not, what is held equal (the stratum), and the outcome.
with

conversions as (

    select
        person_key,
        min(activity_date) as first_conversion_date
    from {{ ref('int_causal_days_measured') }}
    where conversions > 0
    group by person_key

),

measured as (

    select
        readings.question,
        readings.reading,
        questions.covariates,
        indexed.person_key,
        case
            when questions.treatment_kind = 'measure'
                then coalesce(windows.treatment_amount, 0) >= questions.treatment_threshold
            else indexed.is_given
        end as is_treated,
        indexed.role,
        indexed.country,
        indexed.platform,
        indexed.acquisition_channel,
        {{ day_diff('indexed.first_active_date', 'indexed.index_date') }} as tenure_days,
        coalesce(windows.history_active_days, 0) as history_active_days,
        coalesce(windows.history_messages, 0) as history_messages,
        coalesce(windows.chance_days, 0) as chance_days,
        readings.outcome_kind,
        readings.outcome,
        coalesce(windows.outcome_amount, 0) as outcome_amount,
        coalesce(windows.before_amount, 0) as before_amount,
        coalesce(windows.earlier_amount, 0) as earlier_amount
    from {{ ref('int_causal_persons_indexed') }} as indexed
    inner join {{ ref('causal_questions') }} as questions on indexed.question = questions.question
    inner join {{ ref('int_causal_readings_listed') }} as readings on indexed.question = readings.question
    left join {{ ref('int_causal_windows_summed') }} as windows
        on readings.question = windows.question
        and readings.reading = windows.reading
        and indexed.person_key = windows.person_key
    left join conversions on indexed.person_key = conversions.person_key
    where questions.population = 'everyone'
        or (questions.population = 'raters' and windows.rating_count > 0)
        or (
            questions.population = 'unconverted'
            and (
                conversions.first_conversion_date is null
                or conversions.first_conversion_date
                >= {{ add_days('indexed.index_date', 'questions.outcome_start_day') }}
            )
        )

),

banded as (

    select
        measured.*,
        case
            when tenure_days < 7 then 'first week' when tenure_days < 28 then 'first month' else 'later'
        end as tenure,
        case
            when history_active_days < 1 then '0' when history_active_days < 2 then '1'
            when history_active_days < 4 then '2 to 3' else '4 or more'
        end as use_before,
        case
            when history_messages < 1 then '0' when history_messages < 10 then '1 to 9'
            when history_messages < 50 then '10 to 49' else '50 or more'
        end as messages_before,
        case
            when chance_days < 8 then cast(chance_days as {{ dbt.type_string() }})
            when chance_days < 11 then '8 to 10' when chance_days < 15 then '11 to 14' else '15 or more'
        end as chance
    from measured

)

select
    question,
    reading,
    person_key,
    is_treated,
    {%- for covariate in causal_covariates() %}
    {{ covariate }},
    {%- endfor %}
    {%- for window in ['outcome', 'before', 'earlier'] %}
    cast(case
        when outcome_kind = 'any' then case when {{ window }}_amount > 0 then 1 else 0 end
        when outcome like '%_ms' then cast({{ window }}_amount as decimal(18, 0)) * cast(0.001 as decimal(4, 3))
        else {{ window }}_amount
    end as decimal(18, 4)) as {{ window }}_value,
    {%- endfor %}
    {% for covariate in causal_covariates() -%}
    case when ' ' || covariates || ' ' like '% {{ covariate }} %' then {{ covariate }} else 'any' end
    {{- " || ', ' || " if not loop.last }}
    {%- endfor %} as stratum
from banded
