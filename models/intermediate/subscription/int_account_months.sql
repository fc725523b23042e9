{{ config(materialized='table') }}

with

periods as (

    select
        *,
        coalesce(ended_date, cast('9999-12-31' as date)) as until_date
    from {{ ref('int_subscription_periods') }}

),

-- Bills may be older than the first event, so the calendar begins with them.
days as (

    select {{ date_spine_days('first_date', 'last_date') }} as calendar_date
    from (
        select
            min(started_date) as first_date,
            {{ as_of_date() }} as last_date
        from periods
    ) as bounds
    where first_date is not null

),

-- A month stands for its last day; the month of the last complete day for that day.
months as (

    select
        cast({{ dbt.date_trunc('month', 'calendar_date') }} as date) as month_start_date,
        max(calendar_date) as balance_date
    from days
    group by cast({{ dbt.date_trunc('month', 'calendar_date') }} as date)

),

accounts as (

    select
        person_key,
        min(cast({{ dbt.date_trunc('month', 'started_date') }} as date)) as first_paid_month_date
    from periods
    where amount_usd > 0
    group by person_key

),

-- The price counts until the period is replaced or the subscription lapses, days of grace among them.
balances as (

    select
        accounts.person_key,
        months.month_start_date,
        months.balance_date,
        accounts.first_paid_month_date,
        cast(coalesce(sum(periods.monthly_usd), cast(0 as decimal(18, 6))) as decimal(18, 6)) as closing_usd
    from accounts
    inner join months on accounts.first_paid_month_date <= months.month_start_date
    left join periods
        on accounts.person_key = periods.person_key
        and months.balance_date >= periods.started_date
        and months.balance_date < periods.until_date
    group by accounts.person_key, months.month_start_date, months.balance_date, accounts.first_paid_month_date

),

compared as (

    select
        *,
        lag(closing_usd, 1, cast(0 as decimal(18, 6))) over (
            partition by person_key order by month_start_date asc nulls last
        ) as opening_usd
    from balances

),

-- Why an account that was lost left: the last of its subscriptions to lapse by then.
reasons as (

    select
        compared.person_key,
        compared.month_start_date,
        {{ first_by('spells.begin_reason', ["-" ~ epoch_us('spells.started_at'), 'spells.subscription_id']) }}
            as churn_reason
    from compared
    inner join {{ ref('int_subscription_spells') }} as spells
        on compared.person_key = spells.person_key
        and spells.state = 'lapsed'
        and not spells.is_trial
        and compared.month_start_date <= spells.started_date
        and compared.balance_date >= spells.started_date
    where compared.opening_usd > 0 and compared.closing_usd = 0
    group by compared.person_key, compared.month_start_date

)

-- In this order: never paid before, nothing before, nothing now, more, less.
select
    compared.person_key,
    compared.month_start_date,
    compared.balance_date,
    compared.opening_usd,
    compared.closing_usd,
    case
        when compared.opening_usd = 0 and compared.closing_usd = 0 then 'none'
        when compared.month_start_date = compared.first_paid_month_date then 'new'
        when compared.opening_usd = 0 then 'reactivation'
        when compared.closing_usd = 0 then 'churn'
        when compared.closing_usd > compared.opening_usd then 'expansion'
        when compared.closing_usd < compared.opening_usd then 'contraction'
        else 'none'
    end as movement,
    coalesce(reasons.churn_reason, 'none') as churn_reason
from compared
left join reasons
    on compared.person_key = reasons.person_key
    and compared.month_start_date = reasons.month_start_date
