{{ config(materialized='table') }}
-- What scores are made of, one formula each: the names are those of the seed creator_inputs.
with

creators as (

    select * from {{ ref('int_creators_profiled') }}

),

weeks as (

    select * from {{ ref('int_creator_weeks_spined') }}

),

sums as (

    select
        *,
        likes + comments + shares as interactions,
        -- Cost is known where money was spent: a free order is no cheap one.
        case when spend_usd > 0 then spend_usd end as spent_usd
    from {{ ref('int_creator_days_aggregated_to_weeks') }}
    where observed_day_count > 0

),

bands as (

    select * from {{ ref('creator_size_bands') }}

)

select
    creators.creator_id,
    weeks.week_end_date,
    creators.category,
    coalesce(bands.size_band, 'unknown') as size_band,

    {{ safe_divide('sums.orders', 'sums.product_views') }} as conversion_rate,
    cast(sums.revenue_usd as double) as total_revenue,
    {{ safe_divide('sums.revenue_usd', 'sums.orders') }} as avg_order_value,
    {{ safe_divide('sums.checkouts_completed', 'sums.carts') }} as funnel_completion_rate,
    {{ safe_divide('sums.carts - sums.checkouts_started', 'sums.carts') }} as cart_abandonment_rate,
    {{ safe_divide('sums.checkouts_completed', 'sums.checkouts_started') }} as checkout_success_rate,
    {{ safe_divide('sums.likes', 'sums.interactions') }} as likes_ratio,
    {{ safe_divide('sums.comments', 'sums.interactions') }} as comments_ratio,
    {{ safe_divide('sums.shares', 'sums.interactions') }} as shares_ratio,
    {{ safe_divide('sums.comments', 'sums.views') }} as comments_per_view,
    {{ safe_divide('sums.watch_seconds', 'sums.views') }} as avg_watch_time,
    {{ safe_divide('sums.video_seconds', 'sums.views') }} as video_duration,
    case
        when sums.has_prior_window
            then {{ safe_divide('sums.interactions - sums.prior_interactions', 'sums.prior_interactions') }}
    end as engagement_growth_rate,
    case
        when sums.has_prior_window
            then {{ safe_divide('sums.views - sums.prior_views', 'sums.prior_views') }}
    end as views_growth_rate,
    case
        when sums.has_whole_window
            then {{ safe_divide('sums.last_followers - sums.first_followers', 'sums.first_followers') }}
    end as follower_growth_rate,
    {{ safe_divide('sums.recommended_impressions', 'sums.impressions') }} as recommendation_rate,
    {{ safe_divide('sums.views', 'sums.impressions') }} as impression_rate,
    cast(sums.impressions as double) as total_reach,
    -- Daily values added up: somebody who came on two days counts twice.
    cast(sums.unique_viewers as double) as unique_viewers,
    {{ safe_divide('sums.spent_usd', 'sums.orders') }} as cpa,
    {{ safe_divide('sums.spent_usd', 'sums.interactions') }} as cpe,
    {{ safe_divide('sums.spent_usd', 'sums.views') }} as cpv,
    {{ safe_divide('sums.revenue_usd - sums.spend_usd', 'sums.spent_usd') }} as roi,

    creators.target_revenue_usd as target_revenue,
    creators.target_aov_usd as target_aov,
    creators.target_reach,
    creators.target_cpa_usd as target_cpa,
    creators.target_cpe_usd as target_cpe,
    creators.target_cpv_usd as target_cpv,

    sums.product_views as product_view_count,
    sums.carts as cart_count,
    sums.checkouts_started as checkout_count,
    sums.orders as order_count,
    sums.views as view_count,
    sums.impressions as impression_count,
    sums.interactions as interaction_count,
    sums.observed_day_count,
    sums.last_followers as follower_count,
    sums.revenue_usd,
    sums.spend_usd
from creators
inner join weeks on creators.known_from_date <= weeks.week_end_date
left join sums
    on creators.creator_id = sums.creator_id
    and weeks.week_end_date = sums.week_end_date
left join bands
    -- Followers tell the size; where nobody counted them, the reach of the window does.
    on coalesce(nullif(sums.last_followers, 0), sums.impressions) >= bands.min_follower_count
    and coalesce(nullif(sums.last_followers, 0), sums.impressions) < bands.below_follower_count
    and weeks.week_end_date >= bands.valid_from_date
    and weeks.week_end_date < bands.valid_to_date
