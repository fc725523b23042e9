-- Attributed and unattributed views, split by source, are all views of people: none lost, none twice.
with

sources as (

    select
        bot_id,
        activity_date,
        sum(view_count) as view_count,
        sum(attributed_view_count) as attributed_view_count,
        sum(unattributed_view_count) as unattributed_view_count
    from {{ ref('agg_bot_views__daily_source') }}
    group by bot_id, activity_date

),

bots as (

    select
        bot_id,
        activity_date,
        view_count,
        attributed_view_count,
        unattributed_view_count
    from {{ ref('agg_bot_engagement__daily') }}
    where view_count > 0

)

select
    coalesce(bots.bot_id, sources.bot_id) as bot_id,
    coalesce(bots.activity_date, sources.activity_date) as activity_date,
    bots.view_count,
    bots.attributed_view_count,
    bots.unattributed_view_count,
    sources.view_count as source_view_count,
    sources.attributed_view_count as source_attributed_view_count
from bots
full outer join sources on bots.bot_id = sources.bot_id and bots.activity_date = sources.activity_date
where bots.bot_id is null
    or sources.bot_id is null
    or bots.view_count <> sources.view_count
    or bots.attributed_view_count <> sources.attributed_view_count
    or bots.unattributed_view_count <> sources.unattributed_view_count
    or bots.attributed_view_count + bots.unattributed_view_count <> bots.view_count
