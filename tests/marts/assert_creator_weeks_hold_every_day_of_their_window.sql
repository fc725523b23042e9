-- The latest window of all creators together holds what staging accepted in its days, to the last order and cent.
with

published as (

    select
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(view_count) as bigint) as view_count,
        cast(sum(comment_count) as bigint) as comment_count,
        sum(revenue_usd) as revenue_usd,
        sum(spend_usd) as spend_usd
    from {{ ref('fct_creator_weeks') }}
    where is_latest

),

accepted as (

    select
        cast(sum(orders) as bigint) as order_count,
        cast(sum(views) as bigint) as view_count,
        cast(sum(comments) as bigint) as comment_count,
        sum(revenue_usd) as revenue_usd,
        sum(spend_usd) as spend_usd
    from {{ ref('stg_creators__creator_days') }}
    where activity_date <= {{ as_of_date() }}
        and activity_date > {{ add_days(as_of_date(), '-' ~ number_var('creator_window_days')) }}

)

select
    published.order_count,
    accepted.order_count as accepted_order_count
from published
cross join accepted
where coalesce(published.order_count, 0) <> coalesce(accepted.order_count, 0)
    or coalesce(published.view_count, 0) <> coalesce(accepted.view_count, 0)
    or coalesce(published.comment_count, 0) <> coalesce(accepted.comment_count, 0)
    or coalesce(published.revenue_usd, 0) <> coalesce(accepted.revenue_usd, 0)
    or coalesce(published.spend_usd, 0) <> coalesce(accepted.spend_usd, 0)
