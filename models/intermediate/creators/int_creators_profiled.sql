-- Everybody with a record or with days: a creator whose record never came is kept, as 'unknown'.
with

creators as (

    select * from {{ ref('stg_creators__creators') }}

),

days as (

    select
        creator_id,
        min(activity_date) as first_observed_date
    from {{ ref('stg_creators__creator_days') }}
    where activity_date <= {{ as_of_date() }}
    group by creator_id

),

known as (

    select
        creators.creator_id,
        creators.category,
        {{ reporting_date('creators.joined_at') }} as joined_date,
        cast(creators.target_revenue_usd as decimal(18, 6)) as target_revenue_usd,
        cast(creators.target_aov_usd as decimal(18, 6)) as target_aov_usd,
        creators.target_reach,
        cast(creators.target_cpa_usd as decimal(18, 6)) as target_cpa_usd,
        cast(creators.target_cpe_usd as decimal(18, 6)) as target_cpe_usd,
        cast(creators.target_cpv_usd as decimal(18, 6)) as target_cpv_usd
    from creators

)

select
    coalesce(known.creator_id, days.creator_id) as creator_id,
    coalesce(known.category, 'unknown') as category,
    known.joined_date,
    days.first_observed_date,
    -- Whatever is known first: days may come before the record does.
    case
        when known.joined_date is null or days.first_observed_date < known.joined_date
            then days.first_observed_date
        else known.joined_date
    end as known_from_date,
    known.creator_id is not null as has_record,
    known.target_revenue_usd,
    known.target_aov_usd,
    known.target_reach,
    known.target_cpa_usd,
    known.target_cpe_usd,
    known.target_cpv_usd
from known
full outer join days on known.creator_id = days.creator_id
