-- Which study feature becomes a habit, and which is only tried?
--
-- On the shipped sample (last complete day July 18, 2026; first uses whose seven following days are over): notes are
-- what people come back for, 48 of 129 first-time users (37 %) summarised notes again within a week; quizzes 50 of
-- 146 (34 %) and explanations 44 of 137 (32 %) follow, flashcards 26 of 102 (25 %). The chat feature is tried and
-- dropped: 4 of 60 (7 %), and it is used on 4 % of active user-days against 20 % for notes. Adoption alone would not
-- tell: more people begin with quizzes than with notes and fewer return to them. Work on what follows the first chat,
-- and show notes first. Shares of a day may add up to more than 1, for one person uses several features.
with

adoption as (

    select * from {{ ref('agg_feature_adoption__daily') }}

),

summed as (

    select
        feature,
        sum(active_user_count) as active_user_day_count,
        sum(user_count) as user_day_count,
        sum(use_count) as use_count,
        -- Of days that are not over for a repeat, neither part counts.
        sum(case when repeat_7d_user_count is not null then first_time_user_count end) as first_time_user_count,
        sum(repeat_7d_user_count) as repeat_7d_user_count
    from adoption
    group by feature

)

select
    feature,

    active_user_day_count,
    user_day_count,
    {{ safe_divide('user_day_count', 'active_user_day_count') }} as adoption_rate,
    {{ safe_divide('use_count', 'user_day_count') }} as uses_per_user_day,
    first_time_user_count,
    repeat_7d_user_count,
    {{ safe_divide('repeat_7d_user_count', 'first_time_user_count') }} as repeat_7d_rate
from summed
where user_day_count > 0
order by repeat_7d_rate desc nulls last, feature asc nulls last
