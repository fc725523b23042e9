{{ config(materialized='table') }}

with

-- A device passed on keeps its first owner: what was measured before the second one came stays his.
ranked as (

    select
        anonymous_id,
        user_id,
        linked_at,
        row_number() over (
            partition by anonymous_id order by linked_at asc nulls last, user_id asc nulls last
        ) as link_rank
    from {{ ref('stg_product__identity_links') }}

)

select
    anonymous_id,
    {{ entity_key('anonymous_id') }} as anonymous_key,
    user_id,
    {{ entity_key('user_id') }} as user_key,
    linked_at
from ranked
where link_rank = 1
