-- Everyone the data speaks of: registered users, users that only occur in events or bills, and devices
-- that never became a user.
with

links as (

    select * from {{ ref('int_identity_links_resolved') }}

),

mentioned as (

    select entity_id as person_id, false as is_anonymous
    from {{ ref('stg_product__event_ids') }}
    where entity = 'user'
    union
    select event_ids.entity_id as person_id, true as is_anonymous
    from {{ ref('stg_product__event_ids') }} as event_ids
    left join links on event_ids.entity_id = links.anonymous_id
    where event_ids.entity = 'anonymous' and links.anonymous_id is null
    union
    select user_id as person_id, false as is_anonymous from links
    union
    select user_id as person_id, false as is_anonymous from {{ ref('stg_product__users') }}
    union
    select user_id as person_id, false as is_anonymous from {{ ref('stg_billing__subscription_events') }}
    union
    select user_id as person_id, false as is_anonymous from {{ ref('stg_billing__orders') }}
    union
    select user_id as person_id, false as is_anonymous from {{ ref('stg_llm__responses') }}

)

select
    person_id,
    -- An id used both as a user and as a device is one person: it carries one key.
    min(case when is_anonymous then 1 else 0 end) = 1 as is_anonymous
from mentioned
where person_id is not null
group by person_id
