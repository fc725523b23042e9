-- Recounted from the days themselves at the latest score date, a week and four weeks before: a bot that fell out of the
-- trailing sums would fall out of every ranking unseen.
with

ranks as (

    select
        score_date,
        bot_id,
        count(*) as row_count,
        count(distinct tier) as tier_count
    from {{ ref('fct_bot_ranks') }}
    group by score_date, bot_id

),

latest as (

    select max(score_date) as last_date
    from ranks

),

dates as (

    select distinct ranks.score_date
    from ranks
    cross join latest
    where {{ day_diff('ranks.score_date', 'latest.last_date') }} in (0, 7, 28)

),

met as (

    select distinct
        dates.score_date,
        bots.bot_id
    from {{ ref('int_bot_user_days_human') }} as days
    inner join dates
        on days.event_date <= dates.score_date
        and days.event_date > {{ add_days('dates.score_date', -(number_var('trailing_window_days') | int)) }}
    inner join {{ ref('int_bots_versioned') }} as bots on days.bot_key = bots.bot_key and bots.is_current

)

select
    dates.score_date,
    coalesce(met.bot_id, ranks.bot_id) as bot_id,
    ranks.row_count,
    ranks.tier_count
from ranks
inner join dates on ranks.score_date = dates.score_date
full outer join met on ranks.score_date = met.score_date and ranks.bot_id = met.bot_id
where met.bot_id is null or ranks.bot_id is null or ranks.row_count <> 1 or ranks.tier_count <> 1
