select
    persons.person_id,
    days.event_date as activity_date,

    days.event_count,
    days.active_event_count,
    days.app_open_count,
    days.message_sent_count as message_count,
    days.new_message_count,
    days.feature_used_count as feature_use_count,
    days.image_generated_count as image_count,
    days.bot_impression_count as impression_count,
    days.bot_view_count as view_count,
    days.engaged_ms,
    cast(days.ad_revenue_micros as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as ad_revenue_usd,

    {{ is_final('days.event_date') }} as is_final
from {{ ref('int_user_days_classified') }} as days
inner join {{ ref('int_persons_described') }} as persons on days.person_key = persons.person_key
where days.is_active and days.is_human
