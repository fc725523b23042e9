-- What each notification leaves a subscription in, until the next one or until time itself ends it.
with

events as (

    select * from {{ ref('int_subscription_events_sequenced') }}

),

refunded as (

    select
        events.*,
        charges.amount as charged_amount,
        sum(case when events.event_type = 'refunded' then -events.amount end) over (
            partition by events.subscription_id, events.currency, events.last_charge_number
            order by events.event_number asc nulls last
            rows between unbounded preceding and current row
        ) as refunded_amount
    from events
    left join events as charges
        on events.subscription_id = charges.subscription_id and events.last_charge_number = charges.event_number

),

-- A refund of the whole charge ends the subscription, of a part of it does not.
judged as (

    select
        *,
        event_type = 'refunded' and refunded_amount >= charged_amount as is_full_refund
    from refunded

),

carried as (

    select
        *,
        max(case when is_opening then event_number end) over so_far as opening_number,
        max(case when is_charge then event_number end) over so_far as charge_number,
        max(case when event_type = 'expired' or is_full_refund then event_number end) over so_far as end_number,
        max(case when event_type = 'cancelled' then event_number end) over so_far as cancel_number,
        max(case when event_type = 'reenabled' then event_number end) over so_far as reenable_number,
        max(case when event_type = 'payment_failed' then event_number end) over so_far as failure_number,
        -- A store may report an end and its cause at one instant, in either order.
        max(case when event_type = 'cancelled' then event_number end) over by_now as cancelled_by_now_number,
        max(case when event_type = 'payment_failed' then event_number end) over by_now as failed_by_now_number,
        max(case when is_full_refund then event_number end) over by_now as refunded_by_now_number,
        lead(event_at) over in_order as next_event_at,
        lead(is_opening) over in_order as is_next_opening
    from judged
    window
        in_order as (partition by subscription_id order by event_number asc nulls last),
        so_far as (
            partition by subscription_id order by event_number asc nulls last
            rows between unbounded preceding and current row
        ),
        by_now as (
            partition by subscription_id order by event_at asc nulls last
            range between unbounded preceding and current row
        )

),

-- Only what came after the beginning of the running period says how it stands; taking a cancellation back
-- makes it undone.
since_opening as (

    select
        *,
        case when failure_number > opening_number then failure_number else 0 end as open_failure_number,
        case
            when cancel_number > opening_number and cancel_number > coalesce(reenable_number, 0) then cancel_number
            else 0
        end as open_cancel_number,
        case
            when failed_by_now_number > opening_number then failed_by_now_number else 0
        end as open_failure_by_now_number,
        case
            when cancelled_by_now_number > opening_number
                and cancelled_by_now_number > coalesce(reenable_number, 0) then cancelled_by_now_number
            else 0
        end as open_cancel_by_now_number
    from carried
    where opening_number is not null

)

select
    changes.subscription_id,
    changes.event_number,
    openings.person_key,
    openings.plan_id,
    openings.store,
    case
        when changes.end_number > changes.opening_number then 'lapsed'
        when changes.open_cancel_number > changes.open_failure_number then 'cancelled'
        when changes.open_failure_number > 0 then 'grace'
        when changes.charge_number is null or openings.event_type = 'trial_started' then 'trial'
        else 'paid'
    end as state,
    changes.charge_number is null or openings.event_type = 'trial_started' as is_trial,
    case when changes.open_failure_number > 0 then 'payment_failed' else 'overdue' end as grace_reason,
    case
        when changes.charge_number is null or openings.event_type = 'trial_started' then 'trial_ended'
        when changes.refunded_by_now_number > changes.opening_number then 'refunded'
        when changes.open_cancel_by_now_number > changes.open_failure_by_now_number then 'voluntary'
        when changes.open_failure_by_now_number > 0 then 'payment_failed'
        else 'not_renewed'
    end as lapse_reason,
    changes.event_at,
    changes.next_event_at,
    changes.is_next_opening,
    openings.covered_until_at
from since_opening as changes
inner join events as openings
    on changes.subscription_id = openings.subscription_id and changes.opening_number = openings.event_number
