with

inputs as (

    select * from {{ ref('int_creator_inputs_measured') }}

),

sums as (

    select * from {{ ref('int_creator_days_aggregated_to_weeks') }}
    -- A creator without a day in the window has sums of the window before, if any: nothing of this one. Said here:
    -- a condition on the left side of the join below would make DuckDB compare every row with every other.
    where observed_day_count > 0

)

select
    inputs.creator_id,
    inputs.week_end_date,

    inputs.category,
    inputs.size_band,

    inputs.observed_day_count,
    inputs.follower_count,
    sums.posts as post_count,
    inputs.impression_count,
    sums.recommended_impressions as recommended_impression_count,
    inputs.view_count,
    sums.unique_viewers as unique_viewer_upper_bound_count,
    sums.likes as like_count,
    sums.comments as comment_count,
    sums.shares as share_count,
    inputs.product_view_count,
    inputs.cart_count,
    inputs.cart_count - inputs.checkout_count as abandoned_cart_count,
    inputs.checkout_count as checkout_started_count,
    sums.checkouts_completed as checkout_completed_count,
    inputs.order_count,
    sums.watch_seconds,
    cast(inputs.revenue_usd as decimal(38, 6)) as revenue_usd,
    cast(inputs.spend_usd as decimal(38, 6)) as spend_usd,

    inputs.conversion_rate,
    inputs.avg_order_value as average_order_value,
    inputs.funnel_completion_rate,
    inputs.cart_abandonment_rate,
    inputs.checkout_success_rate,
    inputs.comments_per_view,
    inputs.avg_watch_time as watch_seconds_per_view,
    inputs.recommendation_rate,
    inputs.impression_rate as view_through_rate,
    inputs.engagement_growth_rate,
    inputs.views_growth_rate,
    inputs.follower_growth_rate,
    inputs.cpa as cost_per_order,
    inputs.cpe as cost_per_reaction,
    inputs.cpv as cost_per_view,
    inputs.roi as return_on_spend,

    {{ iso_day_of_week('inputs.week_end_date') }} = 7 as is_week_complete,
    inputs.week_end_date = {{ as_of_date() }} as is_latest,
    {{ is_final('inputs.week_end_date') }} as is_final
from inputs
left join sums
    on inputs.creator_id = sums.creator_id
    and inputs.week_end_date = sums.week_end_date
