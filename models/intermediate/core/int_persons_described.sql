{{ config(materialized='table') }}

with

persons as (

    select * from {{ ref('int_persons_collected') }}

),

users as (

    select * from {{ ref('stg_product__users') }}

),

excluded as (

    select * from {{ ref('excluded_accounts') }}

)

select
    {{ entity_key('persons.person_id') }} as person_key,
    persons.person_id,
    coalesce(users.role, 'unknown') as role,
    coalesce(users.country, 'unknown') as country,
    coalesce(users.platform, 'unknown') as platform,
    coalesce(users.language, 'unknown') as language,
    coalesce(users.acquisition_channel, 'unknown') as acquisition_channel,
    users.signed_up_at,
    persons.is_anonymous,
    users.user_id is not null as is_registered,
    coalesce(users.is_internal, false) as is_internal,
    coalesce(users.is_internal, false) or excluded.user_id is not null as is_excluded,
    case
        when excluded.user_id is not null then excluded.reason
        when users.is_internal then 'internal'
        else 'none'
    end as exclusion_reason
from persons
left join users on persons.person_id = users.user_id
left join excluded on persons.person_id = excluded.user_id
