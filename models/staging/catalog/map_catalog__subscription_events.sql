-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('subscription_events', mapped=['period_end']); all others must be there in a fitting type.
select
    cast(event_id as string) as event_id,
    cast(event_time as timestamp) as event_time,
    cast(subscription_id as string) as subscription_id,
    cast(user_id as string) as user_id,
    cast(event_type as string) as event_type,
    cast(plan_id as string) as plan_id,
    cast(period_count as bigint) as period_count,
    cast(period_unit as string) as period_unit,
    cast(amount as decimal(18,6)) as amount,
    cast(currency as string) as currency,
    cast(period_end as timestamp) as period_end,
    cast(store as string) as store,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('subscription_events') }}
