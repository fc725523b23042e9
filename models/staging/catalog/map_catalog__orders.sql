-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('orders', mapped=['creator_id']); all others must be there in a fitting type.
select
    cast(order_id as string) as order_id,
    cast(ordered_at as timestamp) as ordered_at,
    cast(user_id as string) as user_id,
    cast(kind as string) as kind,
    cast(gross_amount as decimal(18,6)) as gross_amount,
    cast(refunded_amount as decimal(18,6)) as refunded_amount,
    cast(currency as string) as currency,
    cast(creator_id as string) as creator_id,
    cast(product_id as string) as product_id,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('orders') }}
