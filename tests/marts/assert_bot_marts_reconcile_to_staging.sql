-- Every accepted message, view, impression and follow of a bot is in the mart, or belongs to a machine or to an
-- account that is no customer. Staging and mart are counted independently of each other.
with

landed as (

    select
        event_date as activity_date,
        count(case when event_code = {{ code_of('event_name', 'message_sent') }} then 1 end) as message_count,
        count(case when event_code = {{ code_of('event_name', 'bot_view') }} then 1 end) as view_count,
        count(case when event_code = {{ code_of('event_name', 'bot_impression') }} then 1 end) as impression_count,
        count(case when event_code = {{ code_of('event_name', 'bot_follow') }} then 1 end) as follow_count
    from {{ ref('stg_product__events') }}
    where bot_key is not null and event_date <= {{ as_of_date() }}
    group by event_date

),

excluded as (

    select
        days.event_date as activity_date,
        sum(days.message_count) as message_count,
        sum(days.view_count) as view_count,
        sum(days.impression_count) as impression_count,
        sum(days.follow_count) as follow_count
    from {{ ref('int_events_aggregated_to_bot_user_days') }} as days
    inner join {{ ref('int_user_days_classified') }} as people
        on days.person_key = people.person_key and days.event_date = people.event_date
    where not people.is_human
    group by days.event_date

),

published as (

    select
        activity_date,
        sum(message_count) as message_count,
        sum(view_count) as view_count,
        sum(impression_count) as impression_count,
        sum(follow_count) as follow_count
    from {{ ref('agg_bot_engagement__daily') }}
    group by activity_date

),

signed as (

    select activity_date, message_count, view_count, impression_count, follow_count from published
    union all
    select activity_date, message_count, view_count, impression_count, follow_count from excluded
    union all
    select activity_date, -message_count, -view_count, -impression_count, -follow_count from landed

),

differences as (

    select
        activity_date,
        sum(message_count) as message_difference,
        sum(view_count) as view_difference,
        sum(impression_count) as impression_difference,
        sum(follow_count) as follow_difference
    from signed
    group by activity_date

)

select
    activity_date,
    message_difference,
    view_difference,
    impression_difference,
    follow_difference
from differences
where message_difference <> 0
    or view_difference <> 0
    or impression_difference <> 0
    or follow_difference <> 0
