{{ config(materialized='table') }}

-- A click belongs to the source of the card, a view to its own: a page opened from a shared link was clicked nowhere.
with

contexts as (

    select * from {{ ref('int_event_contexts_distinct') }}

),

others as (

    select * from {{ ref('int_user_days_excluded') }}

),

shown as (

    select
        facts.event_date,
        coalesce(contexts.source, 'unknown') as source,
        sum(facts.impression_count) as impression_count
    from {{ ref('int_events_aggregated_to_impression_contexts') }} as facts
    left join contexts on facts.context_key = contexts.context_key
    left join others on facts.person_key = others.person_key and facts.event_date = others.event_date
    where others.person_key is null
    group by facts.event_date, coalesce(contexts.source, 'unknown')

),

clicked as (

    select
        opened.impression_date as event_date,
        coalesce(contexts.source, 'unknown') as source,
        count(*) as clicked_impression_count
    from {{ ref('int_views_matched') }} as opened
    left join contexts on opened.impression_context_key = contexts.context_key
    left join others on opened.person_key = others.person_key and opened.impression_date = others.event_date
    where others.person_key is null and opened.impression_date is not null
    group by opened.impression_date, coalesce(contexts.source, 'unknown')

),

viewed as (

    select
        opened.event_date,
        coalesce(contexts.source, 'unknown') as source,
        count(*) as view_count,
        count(distinct opened.person_key) as viewer_count
    from {{ ref('int_views_matched') }} as opened
    left join contexts on opened.context_key = contexts.context_key
    left join others on opened.person_key = others.person_key and opened.event_date = others.event_date
    where others.person_key is null
    group by opened.event_date, coalesce(contexts.source, 'unknown')

),

stacked as (

    select event_date, source, impression_count, 0 as clicked_impression_count, 0 as view_count, 0 as viewer_count
    from shown
    union all
    select event_date, source, 0, clicked_impression_count, 0, 0 from clicked
    union all
    select event_date, source, 0, 0, view_count, viewer_count from viewed

)

select
    event_date,
    source,
    cast(sum(impression_count) as bigint) as impression_count,
    cast(sum(clicked_impression_count) as bigint) as clicked_impression_count,
    cast(sum(view_count) as bigint) as view_count,
    cast(sum(viewer_count) as bigint) as viewer_count
from stacked
where event_date <= {{ as_of_date() }}
group by event_date, source
