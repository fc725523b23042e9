-- The log's three outcome labels beside what its own events say. They are compared, never used: a label
-- without its definition is an opinion. One row per label and reading of it.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: select * from <database>.<schema>.<education log>.
source_rows as (

    select
        cast(null as string) as user_id,
        cast(null as string) as session_id,
        cast(null as timestamp) as event_time,
        cast(null as string) as feature_used,
        cast(null as double) as engagement_time,
        cast(null as boolean) as is_teacher,
        cast(null as string) as experiment_group,
        cast(null as double) as llm_rating,
        cast(null as boolean) as retained_7d,
        cast(null as boolean) as retained_30d,
        cast(null as string) as subscription
    where 1 = 0

),

user_days as (

    select * from {{ ref('fct_user_days') }}

),

subscription_events as (

    select * from {{ ref('stg_billing__subscription_events') }}

),

-- A label that changes within a user counts as set where it was set once; the change itself is reported.
labelled as (

    select
        user_id,
        max(case when retained_7d then 1 when not retained_7d then 0 end) as retained_7d,
        min(case when retained_7d then 1 when not retained_7d then 0 end) as lowest_retained_7d,
        max(case when retained_30d then 1 when not retained_30d then 0 end) as retained_30d,
        min(case when retained_30d then 1 when not retained_30d then 0 end) as lowest_retained_30d,
        max(
            case
                when lower(trim(subscription)) in ('', 'free', 'none', 'no', 'false', '0') then 0
                when subscription is not null then 1
            end
        ) as subscription,
        min(
            case
                when lower(trim(subscription)) in ('', 'free', 'none', 'no', 'false', '0') then 0
                when subscription is not null then 1
            end
        ) as lowest_subscription
    from source_rows
    where user_id is not null
    group by user_id

),

first_days as (

    select
        person_id,
        min(activity_date) as first_date
    from user_days
    group by person_id

),

-- Day 0 is the first active day. A user whose day 7 (30) lies ahead of the data is not judged.
derived as (

    select
        first_days.person_id,
        {{ day_diff('first_days.first_date', as_of_date()) }} as observed_days,
        max(case when {{ day_diff('first_days.first_date', 'user_days.activity_date') }} = 7 then 1 else 0 end)
            as exact_7,
        max(case when {{ day_diff('first_days.first_date', 'user_days.activity_date') }} >= 7 then 1 else 0 end)
            as rolling_7,
        max(
            case
                when {{ day_diff('first_days.first_date', 'user_days.activity_date') }} between 1 and 7 then 1
                else 0
            end
        ) as bracket_7,
        max(case when {{ day_diff('first_days.first_date', 'user_days.activity_date') }} = 30 then 1 else 0 end)
            as exact_30,
        max(case when {{ day_diff('first_days.first_date', 'user_days.activity_date') }} >= 30 then 1 else 0 end)
            as rolling_30,
        max(
            case
                when {{ day_diff('first_days.first_date', 'user_days.activity_date') }} between 1 and 30 then 1
                else 0
            end
        ) as bracket_30
    from first_days
    inner join user_days on first_days.person_id = user_days.person_id
    group by first_days.person_id, first_days.first_date

),

subscribers as (

    select distinct user_id
    from subscription_events
    where event_type in ('trial_started', 'started', 'renewed')

),

compared as (

    select
        'retained_7d' as label,
        'active on day 7' as reading,
        labelled.retained_7d as label_value,
        labelled.lowest_retained_7d as lowest_label_value,
        derived.exact_7 as derived_value
    from labelled
    inner join derived on labelled.user_id = derived.person_id
    where derived.observed_days >= 7

    union all

    select
        'retained_7d',
        'active on day 7 or later',
        labelled.retained_7d,
        labelled.lowest_retained_7d,
        derived.rolling_7
    from labelled
    inner join derived on labelled.user_id = derived.person_id
    where derived.observed_days >= 7

    union all

    select
        'retained_7d',
        'active on one of days 1 to 7',
        labelled.retained_7d,
        labelled.lowest_retained_7d,
        derived.bracket_7
    from labelled
    inner join derived on labelled.user_id = derived.person_id
    where derived.observed_days >= 7

    union all

    select
        'retained_30d',
        'active on day 30',
        labelled.retained_30d,
        labelled.lowest_retained_30d,
        derived.exact_30
    from labelled
    inner join derived on labelled.user_id = derived.person_id
    where derived.observed_days >= 30

    union all

    select
        'retained_30d',
        'active on day 30 or later',
        labelled.retained_30d,
        labelled.lowest_retained_30d,
        derived.rolling_30
    from labelled
    inner join derived on labelled.user_id = derived.person_id
    where derived.observed_days >= 30

    union all

    select
        'retained_30d',
        'active on one of days 1 to 30',
        labelled.retained_30d,
        labelled.lowest_retained_30d,
        derived.bracket_30
    from labelled
    inner join derived on labelled.user_id = derived.person_id
    where derived.observed_days >= 30

    union all

    select
        'subscription',
        'ever started, tried or renewed',
        labelled.subscription,
        labelled.lowest_subscription,
        case when subscribers.user_id is null then 0 else 1 end
    from labelled
    left join subscribers on labelled.user_id = subscribers.user_id

)

select
    label,
    reading,
    count(*) as user_count,
    coalesce(sum(case when label_value = derived_value then 1 else 0 end), 0) as agreeing_count,
    coalesce(sum(case when label_value = 1 and derived_value = 0 then 1 else 0 end), 0) as label_only_count,
    coalesce(sum(case when label_value = 0 and derived_value = 1 then 1 else 0 end), 0) as derived_only_count,
    coalesce(sum(case when label_value is null then 1 else 0 end), 0) as unlabelled_count,
    coalesce(sum(case when label_value <> lowest_label_value then 1 else 0 end), 0) as contradictory_count
from compared
group by label, reading
