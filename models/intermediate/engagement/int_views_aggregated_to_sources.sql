with

views as (

    select
        bot_key,
        event_date,
        person_key,
        context_key,
        impression_date
    from {{ ref('int_views_matched') }}
    where event_date <= {{ as_of_date() }}

),

contexts as (

    select * from {{ ref('int_event_contexts_distinct') }}

),

others as (

    select * from {{ ref('int_user_days_excluded') }}

)

select
    views.bot_key,
    views.event_date,
    coalesce(contexts.source, 'unknown') as source,
    count(*) as view_count,
    count(views.impression_date) as attributed_view_count
from views
left join contexts on views.context_key = contexts.context_key
left join others on views.person_key = others.person_key and views.event_date = others.event_date
where others.person_key is null
group by views.bot_key, views.event_date, coalesce(contexts.source, 'unknown')
