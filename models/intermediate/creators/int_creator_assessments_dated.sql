{{ config(materialized='table') }}
-- Each judgement from its day until the day on which a later one of the attribute takes its place.
with

assessments as (

    select
        *,
        {{ reporting_date('assessed_at') }} as assessed_date
    from {{ ref('stg_creators__assessments') }}

),

-- Only what a score reads; an attribute nobody asks for may be judged all the same.
asked as (

    select distinct field
    from {{ ref('creator_inputs') }}
    where origin = 'assessments' and role = 'measure'

),

latest as (

    select
        assessments.*,
        row_number() over (
            partition by assessments.creator_id, assessments.attribute, assessments.assessed_date
            order by assessments.assessed_at desc nulls last, assessments.assessment_id asc nulls last
        ) as day_rank
    from assessments
    inner join asked on assessments.attribute = asked.field
    where assessments.assessed_date <= {{ as_of_date() }}

)

select
    creator_id,
    attribute,
    assessed_date as valid_from_date,
    coalesce(
        lead(assessed_date) over (partition by creator_id, attribute order by assessed_date asc nulls last),
        cast('9999-12-31' as date)
    ) as valid_to_date,
    score
from latest
where day_rank = 1
