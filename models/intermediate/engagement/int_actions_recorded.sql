-- What people do that no product event says: they pay, and they rate answers. Up to the last complete day.
{%- set other = var('funnel_other_actions') %}
with

recorded as (

    select
        user_id as person_id,
        event_type as recorded_type,
        event_id as record_id,
        cast(null as bigint) as score,
        event_time as action_at
    from {{ ref('stg_billing__subscription_events') }}
    where event_type in ('started', 'trial_started')
    union all
    select
        user_id,
        'order',
        order_id,
        null,
        ordered_at
    from {{ ref('stg_billing__orders') }}
    union all
    select
        rater_id,
        'rating',
        rating_id,
        score,
        rated_at
    from {{ ref('stg_llm__ratings') }}
    where rater_kind = 'user'

),

dated as (

    select
        persons.person_key,
        persons.is_excluded,
        recorded.recorded_type,
        recorded.record_id,
        recorded.score,
        recorded.action_at,
        {{ reporting_date('recorded.action_at') }} as action_date
    from recorded
    inner join {{ ref('int_persons_described') }} as persons on recorded.person_id = persons.person_id

)

select
    dated.person_key,
    {{ entity_key('dated.record_id') }} as action_key,
    -- Codes above those of the events of the contract.
    cast(case dated.recorded_type
        when 'started' then {{ 101 + other.index('subscription_started') }}
        when 'trial_started' then {{ 101 + other.index('trial_started') }}
        when 'order' then {{ 101 + other.index('order_placed') }}
        when 'rating' then {{ 101 + other.index('answer_rated') }}
    end as smallint) as action_code,
    dated.score,
    dated.action_at,
    dated.action_date
from dated
-- A machine's day does not count, whatever stands on it.
left join {{ ref('int_user_days_excluded') }} as excluded_days
    on dated.person_key = excluded_days.person_key and dated.action_date = excluded_days.event_date
where excluded_days.person_key is null and not dated.is_excluded and dated.action_date <= {{ as_of_date() }}
