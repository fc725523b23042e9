-- Added up over days, new conversations are the different conversations people wrote in.
with

published as (

    select coalesce(sum(new_conversation_count), 0) as conversation_count
    from {{ ref('agg_user_engagement__daily') }}

),

counted as (

    select count(distinct facts.conversation_key) as conversation_count
    from {{ ref('int_events_aggregated_to_conversation_days') }} as facts
    inner join {{ ref('int_user_days_classified') }} as days
        on facts.person_key = days.person_key and facts.event_date = days.event_date
    where days.is_human

)

select
    published.conversation_count as published_conversation_count,
    counted.conversation_count
from published
cross join counted
where published.conversation_count <> counted.conversation_count
