-- Answers and ratings of the trailing window are those of its days; people are fewer, for they are counted once.
with

windows as (

    select * from {{ ref('agg_satisfaction__slices') }}

),

days as (

    select
        days.slice_dimension,
        days.slice_value,
        sum(days.answer_count) as answer_count,
        sum(days.rated_count) as rated_count,
        sum(days.score_sum) as score_sum,
        sum(days.asking_user_count) as asking_user_count,
        max(days.asking_user_count) as largest_asking_user_count
    from {{ ref('agg_satisfaction__daily_slices') }} as days
    where days.activity_date > {{ add_days(as_of_date(), '-' ~ number_var('trailing_window_days')) }}
    group by days.slice_dimension, days.slice_value

)

select
    coalesce(windows.slice_dimension, days.slice_dimension) as slice_dimension,
    coalesce(windows.slice_value, days.slice_value) as slice_value
from windows
full outer join days
    on windows.slice_dimension = days.slice_dimension and windows.slice_value = days.slice_value
where coalesce(windows.answer_count, 0) <> coalesce(days.answer_count, 0)
    or coalesce(windows.rated_count, 0) <> coalesce(days.rated_count, 0)
    or coalesce(windows.score_sum, 0) <> coalesce(days.score_sum, 0)
    or windows.asking_user_count > days.asking_user_count
    or windows.asking_user_count < days.largest_asking_user_count
