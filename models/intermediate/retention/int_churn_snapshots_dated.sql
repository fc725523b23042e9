{{ config(materialized='table') }}
{%- set horizon = number_var('churn_days') | int %}

-- Days on which people are looked at. The latest is scored. The one a horizon before it is the latest whose
-- outcome is known: models are tested on it. Models learn from days whose outcome was known by then, so nothing
-- that a model learnt from happened after its test began.
with

started as (

    select min(first_active_date) as first_active_date from {{ ref('int_persons_cohorted') }}

),

aged as (

    select
        dates.calendar_date as snapshot_date,
        cast({{ day_diff('dates.calendar_date', as_of_date()) }} as bigint) as age_days,
        cast({{ day_diff('started.first_active_date', 'dates.calendar_date') }} as bigint) as history_days
    from {{ ref('int_dates_spined') }} as dates
    cross join started

),

named as (

    select
        snapshot_date,
        age_days,
        history_days,
        case
            when age_days = 0 then 'score'
            when age_days = {{ horizon }} then 'test'
            when age_days >= {{ 2 * horizon }}
                and (age_days - {{ 2 * horizon }}) % {{ number_var('churn_snapshot_spacing_days') }} = 0
                and age_days < {{ 2 * horizon }}
                + {{ number_var('churn_snapshot_spacing_days') }} * {{ number_var('churn_training_snapshots') }}
                then 'train'
        end as purpose
    from aged

)

select
    snapshot_date,
    purpose,
    age_days
from named
-- A product of a few days has shown nobody's habits yet; whoever is active now is scored all the same.
where purpose = 'score' or (purpose is not null and history_days >= {{ number_var('churn_history_days') }})
