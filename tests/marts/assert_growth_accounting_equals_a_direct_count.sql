-- Growth accounting runs on silences between active days; on the last day the people are looked at one by one.
with

last_rows as (

    select
        activity_date,
        window_days,
        new_user_count,
        retained_user_count,
        resurrected_user_count,
        churned_user_count
    from {{ ref('agg_growth_accounting__daily') }}
    where activity_date = {{ as_of_date() }} and previous_user_count is not null

),

persons as (

    select
        last_rows.window_days,
        days.person_id,
        max(case
            when days.activity_date > {{ add_days('last_rows.activity_date', '-last_rows.window_days') }} then 1 else 0
        end) as is_now,
        max(case
            when days.activity_date <= {{ add_days('last_rows.activity_date', '-last_rows.window_days') }}
                and days.activity_date > {{ add_days('last_rows.activity_date', '-2 * last_rows.window_days') }}
                then 1
            else 0
        end) as is_before,
        max(case
            when days.activity_date <= {{ add_days('last_rows.activity_date', '-last_rows.window_days') }} then 1 else 0
        end) as is_ever_before
    from last_rows
    inner join {{ ref('fct_user_days') }} as days on last_rows.activity_date >= days.activity_date
    group by last_rows.window_days, days.person_id

),

counted as (

    select
        window_days,
        sum(is_now * (1 - is_ever_before)) as new_count,
        sum(is_now * is_before) as retained_count,
        sum(is_now * (1 - is_before) * is_ever_before) as resurrected_count,
        sum((1 - is_now) * is_before) as churned_count
    from persons
    group by window_days

)

select
    last_rows.*,
    counted.new_count,
    counted.retained_count,
    counted.resurrected_count,
    counted.churned_count
from last_rows
inner join counted on last_rows.window_days = counted.window_days
where last_rows.new_user_count <> counted.new_count
    or last_rows.retained_user_count <> counted.retained_count
    or last_rows.resurrected_user_count <> counted.resurrected_count
    or last_rows.churned_user_count <> counted.churned_count
