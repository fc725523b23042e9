-- Recounted from spells and orders: an account has a balance exactly when one of its subscriptions is paid,
-- cancelled with time left or in grace at the end of the day of the balance.
with

running as (

    select distinct
        months.person_id,
        months.month_start_date
    from {{ ref('fct_account_months') }} as months
    inner join {{ ref('fct_subscription_spells') }} as spells
        on months.person_id = spells.person_id
        and spells.state in ('paid', 'cancelled', 'grace')
        and not spells.is_trial
        and months.balance_date >= spells.started_date
        and (spells.ended_date is null or months.balance_date < spells.ended_date)

),

-- A free month runs without a balance.
free as (

    select distinct subscription_id
    from {{ ref('int_subscription_events_sequenced') }}
    where is_opening and not is_charge and event_type <> 'trial_started'

),

free_people as (

    select distinct spells.person_id
    from {{ ref('fct_subscription_spells') }} as spells
    inner join free on spells.subscription_id = free.subscription_id

)

select
    months.person_id,
    months.month_start_date,
    months.closing_usd,
    running.person_id is not null as is_running
from {{ ref('fct_account_months') }} as months
left join running
    on months.person_id = running.person_id
    and months.month_start_date = running.month_start_date
left join free_people on months.person_id = free_people.person_id
where (months.closing_usd > 0) <> (running.person_id is not null) and free_people.person_id is null
