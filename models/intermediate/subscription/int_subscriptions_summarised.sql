{{ config(materialized='table') }}
{%- set early = "interval '" ~ number_var('early_cancel_hours') ~ "' hour" %}

with

spells as (

    select * from {{ ref('int_subscription_spells') }}

),

periods as (

    select
        *,
        row_number() over (
            partition by subscription_id order by run_number asc nulls last, period_number asc nulls last
        ) as charge_number
    from {{ ref('int_subscription_periods') }}

),

-- The subscription is new when it is first paid for; a trial before that is its own question.
starts as (

    select
        subscription_id,
        person_key,
        plan_id,
        store,
        started_at as first_paid_at,
        started_date as first_paid_date
    from periods
    where charge_number = 1

),

trials as (

    select
        subscription_id,
        {{ first_by('person_key', ['started_at']) }} as person_key,
        {{ first_by('plan_id', ['started_at']) }} as plan_id,
        {{ first_by('store', ['started_at']) }} as store,
        min(started_at) as trial_started_at,
        min(case when state = 'lapsed' then started_at end) as trial_lapsed_at
    from spells
    where is_trial
    group by subscription_id

),

-- A cancellation soon after the start counts, unless it was taken back while the subscription still ran.
cancels as (

    select
        starts.subscription_id,
        count(*) as early_cancel_count,
        count(case when spells.end_reason not in ('reenabled', 'reactivated') then 1 end) as kept_cancel_count
    from starts
    inner join spells
        on starts.subscription_id = spells.subscription_id
        and spells.state = 'cancelled'
        and not spells.is_trial
        and spells.started_at between starts.first_paid_at and starts.first_paid_at + {{ early }}
    group by starts.subscription_id

),

latest as (

    select
        subscription_id,
        state,
        begin_reason,
        row_number() over (partition by subscription_id order by spell_number desc nulls last) as from_last
    from spells

)

select
    coalesce(starts.subscription_id, trials.subscription_id) as subscription_id,
    coalesce(starts.person_key, trials.person_key) as person_key,
    coalesce(starts.plan_id, trials.plan_id) as plan_id,
    coalesce(starts.store, trials.store) as store,
    latest.state,
    case when latest.state = 'lapsed' then latest.begin_reason else 'none' end as lapse_reason,
    trials.subscription_id is not null as has_trial,
    starts.subscription_id is not null as is_ever_paid,
    -- The trial is over: paid for, or lapsed.
    starts.subscription_id is not null or trials.trial_lapsed_at is not null as is_decided,
    coalesce(cancels.early_cancel_count, 0) > 0 as is_cancelled_early,
    coalesce(cancels.early_cancel_count, 0) > 0 and cancels.kept_cancel_count = 0 as is_early_cancel_undone,
    trials.trial_started_at,
    starts.first_paid_at,
    {{ reporting_date('trials.trial_started_at') }} as trial_started_date,
    starts.first_paid_date,
    {{ reporting_date('starts.first_paid_at + ' ~ early) }} as early_until_date
from starts
full outer join trials on starts.subscription_id = trials.subscription_id
left join cancels on starts.subscription_id = cancels.subscription_id
left join latest
    on coalesce(starts.subscription_id, trials.subscription_id) = latest.subscription_id and latest.from_last = 1
