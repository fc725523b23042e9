{{ config(materialized='table') }}

-- What a unit did on a day, from facts by day; what has a moment stands in int_unit_moments_measured.
with

parts as (

    select
        'user' as unit_type,
        person_key as unit_key,
        event_date as activity_date,
        {{ measures_from({
            'active_days': 'case when is_active then 1 else 0 end', 'messages': 'new_message_count',
            'features_used': 'feature_used_count', 'follows': 'bot_follow_count', 'images': 'image_generated_count',
            'ad_impressions': 'ad_impression_count', 'engaged_ms': 'engaged_ms', 'ad_micros': 'ad_revenue_micros'
        }) }}
    from {{ ref('int_user_days_classified') }}
    where is_human
    union all
    select
        'user' as unit_type,
        person_key as unit_key,
        event_date as activity_date,
        {{ measures_from({
            'impressions': 'impression_count', 'clicks': 'clicked_impression_count',
            'viewers': 'case when view_count > 0 then 1 else 0 end',
            'chat_starters': 'case when is_chat_start then 1 else 0 end'
        }) }}
    from {{ ref('int_bot_user_days_human') }}
    union all
    select
        'user' as unit_type,
        person_key as unit_key,
        session_date as activity_date,
        {{ measures_from({'sessions': 'session_count', 'session_ms': 'session_ms'}) }}
    from {{ ref('int_sessions_aggregated_to_user_days') }}
    union all
    select
        bots.unit_type,
        bots.unit_key,
        days.event_date as activity_date,
        {{ measures_from({
            'active_days': 'max(case when days.message_count > 0 then 1 else 0 end)',
            'messages': 'sum(days.new_message_count)', 'follows': 'sum(days.follow_count)',
            'impressions': 'sum(days.impression_count)', 'clicks': 'sum(days.clicked_impression_count)',
            'viewers': 'count(case when days.view_count > 0 then 1 end)',
            'chat_starters': 'count(case when days.is_chat_start then 1 end)'
        }) }}
    from {{ ref('int_bot_user_days_human') }} as days
    inner join {{ ref('int_unit_bots_listed') }} as bots
        on days.bot_key = bots.bot_key and days.event_date between bots.valid_from_date and bots.valid_to_date
    group by bots.unit_type, bots.unit_key, days.event_date
    union all
    select
        'creator' as unit_type,
        {{ entity_key('creator_id') }} as unit_key,
        activity_date,
        {{ measures_from({
            'product_views': 'coalesce(product_views, 0)', 'creator_orders': 'coalesce(orders, 0)',
            'creator_micros': 'coalesce(cast(revenue_usd as decimal(24, 6)) * 1000000, 0)'
        }) }}
    from {{ ref('stg_creators__creator_days') }}
    where activity_date <= {{ as_of_date() }}

)

select
    unit_type,
    unit_key,
    activity_date,
    {{ each_measure('cast(sum(#) as bigint) as #') }}
from parts
group by unit_type, unit_key, activity_date
