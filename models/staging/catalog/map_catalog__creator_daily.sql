-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('creator_daily', mapped=['creator_id']); all others must be there in a fitting type.
select
    cast(creator_id as string) as creator_id,
    cast(activity_date as date) as activity_date,
    cast(posts as bigint) as posts,
    cast(impressions as bigint) as impressions,
    cast(views as bigint) as views,
    cast(unique_viewers as bigint) as unique_viewers,
    cast(likes as bigint) as likes,
    cast(comments as bigint) as comments,
    cast(shares as bigint) as shares,
    cast(watch_seconds as decimal(18,3)) as watch_seconds,
    cast(video_seconds as decimal(18,3)) as video_seconds,
    cast(followers as bigint) as followers,
    cast(search_impressions as bigint) as search_impressions,
    cast(recommended_impressions as bigint) as recommended_impressions,
    cast(product_views as bigint) as product_views,
    cast(carts as bigint) as carts,
    cast(checkouts_started as bigint) as checkouts_started,
    cast(checkouts_completed as bigint) as checkouts_completed,
    cast(orders as bigint) as orders,
    cast(revenue_usd as decimal(18,6)) as revenue_usd,
    cast(spend_usd as decimal(18,6)) as spend_usd,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('creator_daily') }}
