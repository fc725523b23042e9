-- Every pair of a person and a bot began once: the members of the cohorts old enough for a window are the pairs
-- that began so long ago, and who of them chatted on the day is the numerator of a window of one day.
with

cohorts as (

    select
        bot_id,
        window_name,
        sum(cohort_size) as cohort_size,
        sum(case when retention_kind = 'exact' then returned_count end) as returned_count
    from {{ ref('agg_bot_retention__cohorts') }}
    group by bot_id, window_name

),

windows as (

    select * from {{ ref('int_retention_windows_listed') }}
    where is_for_bots

),

pairs as (

    select
        bots.bot_id,
        windows.window_name,
        count(case when chats.age_days = 0 then 1 end) as pair_count,
        count(case when windows.retention_kind = 'exact' and chats.age_days = windows.first_day then 1 end)
            as returned_count
    from {{ ref('int_bot_chat_days_aged') }} as chats
    cross join windows
    inner join {{ ref('int_bots_versioned') }} as bots
        on chats.bot_key = bots.bot_key
        and chats.first_chat_date between bots.valid_from_date and bots.valid_to_date
    where {{ add_days('chats.first_chat_date', 'windows.last_day') }} <= {{ as_of_date() }}
    group by bots.bot_id, windows.window_name

)

select
    coalesce(cohorts.bot_id, pairs.bot_id) as bot_id,
    coalesce(cohorts.window_name, pairs.window_name) as window_name,
    cohorts.cohort_size,
    pairs.pair_count,
    cohorts.returned_count,
    pairs.returned_count as pair_returned_count
from cohorts
full outer join pairs on cohorts.bot_id = pairs.bot_id and cohorts.window_name = pairs.window_name
where coalesce(cohorts.cohort_size, 0) <> coalesce(pairs.pair_count, 0)
    or coalesce(cohorts.returned_count, 0) <> coalesce(pairs.returned_count, 0)
