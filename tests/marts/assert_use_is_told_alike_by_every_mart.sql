-- Active people and what they did, told by several marts: actions, features, engagement and the spine agree.
with

actions as (

    select
        activity_date,
        max(active_user_count) as active_user_count,
        sum(case when action_name = 'feature' then event_count end) as feature_use_count,
        max(case when action_name = 'feature' then doer_count end) as feature_user_count
    from {{ ref('agg_user_actions__daily') }}
    group by activity_date

),

features as (

    select
        activity_date,
        sum(use_count) as use_count,
        sum(user_count) as user_sum,
        max(user_count) as user_max
    from {{ ref('agg_feature_adoption__daily') }}
    group by activity_date

),

spine as (

    select
        activity_date,
        count(*) as user_day_count
    from {{ ref('int_active_days_spined') }}
    group by activity_date

)

select
    people.activity_date,
    people.active_user_count,
    spine.user_day_count,
    actions.active_user_count as action_active_user_count,
    actions.feature_use_count,
    actions.feature_user_count,
    features.use_count,
    features.user_max,
    features.user_sum
from {{ ref('agg_user_engagement__daily') }} as people
left join spine on people.activity_date = spine.activity_date
left join actions on people.activity_date = actions.activity_date
left join features on people.activity_date = features.activity_date
where actions.activity_date is null
    or features.activity_date is null
    or people.active_user_count <> coalesce(spine.user_day_count, 0)
    or people.active_user_count <> actions.active_user_count
    or actions.feature_use_count <> features.use_count
    or actions.feature_user_count not between features.user_max and features.user_sum
