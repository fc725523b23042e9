{{ config(materialized='table') }}
{%- set rated = 101 + var('funnel_other_actions').index('answer_rated') %}
{%- set since = add_days('people.snapshot_date', '-' ~ number_var('churn_days')) %}

-- Orders, subscription and ratings as they stood at the end of the snapshot's day.
with

people as (

    select * from {{ ref('int_churn_persons_labelled') }}

),

orders as (

    select
        people.person_key,
        people.snapshot_date,
        cast(sum(payments.order_count) as bigint) as order_count
    from people
    inner join {{ ref('int_payments_aggregated_to_person_days') }} as payments
        on people.person_key = payments.person_key and people.snapshot_date >= payments.activity_date
    group by people.person_key, people.snapshot_date

),

-- Every subscription in the state its latest notification so far left it in.
subscriptions as (

    select
        people.person_key,
        people.snapshot_date,
        events.subscription_id,
        events.state,
        events.covered_until_at,
        row_number() over (
            partition by people.person_key, people.snapshot_date, events.subscription_id
            order by events.event_number desc nulls last
        ) as place
    from people
    inner join {{ ref('int_subscription_events_stated') }} as events
        on people.person_key = events.person_key
        and people.snapshot_date >= {{ reporting_date('events.event_at') }}

),

-- The best of them: what runs, what runs out, what is over.
states as (

    select
        person_key,
        snapshot_date,
        max(case
            when state = 'lapsed' or {{ reporting_date('covered_until_at') }} < snapshot_date then 1
            when state in ('cancelled', 'grace') then 2
            else 3
        end) as state_rank
    from subscriptions
    where place = 1
    group by person_key, snapshot_date

),

ratings as (

    select
        people.person_key,
        people.snapshot_date,
        count(*) as rating_count,
        cast(sum(actions.score) as bigint) as rating_score_sum
    from people
    inner join {{ ref('int_actions_recorded') }} as actions
        on people.person_key = actions.person_key
        and people.snapshot_date >= actions.action_date
        and {{ since }} < actions.action_date
    where actions.action_code = {{ rated }}
    group by people.person_key, people.snapshot_date

)

select
    people.person_key,
    people.snapshot_date,
    coalesce(orders.order_count, 0) as order_count,
    case states.state_rank when 3 then 'running' when 2 then 'ending' when 1 then 'over' else 'none' end
        as subscription_state,
    coalesce(ratings.rating_count, 0) as rating_count,
    ratings.rating_score_sum
from people
left join orders on people.person_key = orders.person_key and people.snapshot_date = orders.snapshot_date
left join states on people.person_key = states.person_key and people.snapshot_date = states.snapshot_date
left join ratings on people.person_key = ratings.person_key and people.snapshot_date = ratings.snapshot_date
