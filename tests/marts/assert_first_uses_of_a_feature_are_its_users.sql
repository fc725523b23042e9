-- Everybody who ever used a feature used it for the first time on exactly one day.
with

published as (

    select
        feature,
        sum(first_time_user_count) as user_count
    from {{ ref('agg_feature_adoption__daily') }}
    group by feature

),

counted as (

    select
        feature,
        count(distinct person_key) as user_count
    from {{ ref('int_feature_days_aged') }}
    group by feature

)

select
    coalesce(published.feature, counted.feature) as feature,
    published.user_count as published_user_count,
    counted.user_count
from published
full outer join counted on published.feature = counted.feature
where coalesce(published.user_count, 0) <> coalesce(counted.user_count, 0)
