{{ config(materialized='table') }}

-- What a model of churn may look at: all of it was known at the end of the snapshot's day. Use is told per active
-- day, so that how often somebody comes and how much they do then are two things. Country and platform are those of
-- the first active day.
select
    described.person_id,
    people.snapshot_date,
    people.purpose,
    people.is_churned,

    days.recency_days,
    days.tenure_days,
    days.lifetime_active_days,
    days.active_days,
    days.active_days_7,
    days.active_days_14,
    2 * days.active_days_14 - days.active_days as active_days_trend,
    {{ safe_divide('days.weekend_active_days', 'days.active_days') }} as weekend_share,
    days.idle_visit_days,
    {{ safe_divide('days.new_message_count', 'days.active_days') }} as messages_per_active_day,
    {{ safe_divide('days.regenerate_message_count', 'days.message_sent_count') }} as regenerate_share,
    {{ safe_divide('days.edit_message_count', 'days.message_sent_count') }} as edit_share,
    {{ safe_divide('days.continue_message_count', 'days.message_sent_count') }} as continue_share,
    {{ safe_divide('days.feature_used_count', 'days.active_days') }} as feature_uses_per_active_day,
    days.feature_kind_count,
    {{ safe_divide('days.engaged_ms', 'days.active_days * 60000') }} as engaged_minutes_per_active_day,
    {{ safe_divide('visits.session_count', 'days.active_days') }} as sessions_per_active_day,
    {{ safe_divide('visits.chatted_bot_count', 'days.active_days') }} as chatted_bots_per_active_day,
    {{ safe_divide('visits.viewed_bot_count', 'days.active_days') }} as viewed_bots_per_active_day,
    {{ safe_divide('days.bot_follow_count', 'days.active_days') }} as follows_per_active_day,
    {{ safe_divide('days.image_generated_count', 'days.active_days') }} as images_per_active_day,
    {{ safe_divide('days.conversation_reset_count', 'days.active_days') }} as resets_per_active_day,
    {{ safe_divide('days.ad_impression_count', 'days.active_days') }} as ads_per_active_day,
    records.order_count,
    {{ safe_divide('records.rating_count', 'days.active_days') }} as ratings_per_active_day,
    {{ safe_divide('records.rating_score_sum', 'records.rating_count') }} as mean_rating,
    records.subscription_state,
    persons.role,
    persons.country,
    persons.platform,
    persons.acquisition_channel
from {{ ref('int_churn_persons_labelled') }} as people
inner join {{ ref('int_churn_days_counted') }} as days
    on people.person_key = days.person_key and people.snapshot_date = days.snapshot_date
inner join {{ ref('int_churn_visits_counted') }} as visits
    on people.person_key = visits.person_key and people.snapshot_date = visits.snapshot_date
inner join {{ ref('int_churn_records_counted') }} as records
    on people.person_key = records.person_key and people.snapshot_date = records.snapshot_date
inner join {{ ref('int_persons_cohorted') }} as persons on people.person_key = persons.person_key
inner join {{ ref('int_persons_described') }} as described on people.person_key = described.person_key
