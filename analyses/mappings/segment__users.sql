-- Segment (warehouse schema) -> users. One row per identify call; staging keeps each user's latest.
-- Segment stores what a call said: a trait the call left out is null there, so the last known one is carried.
with

-- Put your table here: select ..., timestamp as event_timestamp from <schema>.identifies.
source_identifies as (

    select
        cast(null as string) as id,
        cast(null as timestamp) as received_at,
        cast(null as timestamp) as event_timestamp,
        cast(null as string) as user_id,
        cast(null as timestamp) as created_at,
        cast(null as string) as role,
        cast(null as string) as country,
        cast(null as string) as context_device_type,
        cast(null as string) as context_locale,
        cast(null as string) as acquisition_channel,
        cast(null as boolean) as is_internal
    where 1 = 0

),

-- Calls of one user in order. A trait starts a new stretch wherever a call states it.
stretched as (

    select
        *,
        count(role) over (
            partition by user_id
            order by event_timestamp asc nulls last, id asc nulls last
            rows between unbounded preceding and current row
        ) as role_stretch,
        count(country) over (
            partition by user_id
            order by event_timestamp asc nulls last, id asc nulls last
            rows between unbounded preceding and current row
        ) as country_stretch,
        count(acquisition_channel) over (
            partition by user_id
            order by event_timestamp asc nulls last, id asc nulls last
            rows between unbounded preceding and current row
        ) as channel_stretch,
        case when is_internal then 1 when not is_internal then 0 end as internal_code,
        count(is_internal) over (
            partition by user_id
            order by event_timestamp asc nulls last, id asc nulls last
            rows between unbounded preceding and current row
        ) as internal_stretch,
        min(event_timestamp) over (partition by user_id) as first_timestamp,
        min(created_at) over (partition by user_id) as first_created_at,
        min(lower(context_device_type)) over (partition by user_id, event_timestamp) as device_type
    from source_identifies
    where trim(user_id) <> ''

)

select
    user_id,
    event_timestamp as updated_at,
    -- Where no call ever said when the account was made, the first call is the latest possible moment.
    coalesce(first_created_at, first_timestamp) as signed_up_at,
    max(role) over (partition by user_id, role_stretch) as role,
    max(country) over (partition by user_id, country_stretch) as country,
    coalesce(device_type, 'web') as platform,
    lower(split_part(context_locale, '-', 1)) as language,
    max(acquisition_channel) over (partition by user_id, channel_stretch) as acquisition_channel,
    coalesce(max(internal_code) over (partition by user_id, internal_stretch), 0) = 1 as is_internal,
    received_at as ingested_at
from stretched
