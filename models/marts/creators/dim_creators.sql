with

creators as (

    select * from {{ ref('int_creators_profiled') }}

),

latest as (

    select
        creator_id,
        size_band,
        follower_count
    from {{ ref('int_creator_inputs_measured') }}
    where week_end_date = {{ as_of_date() }}

)

select
    creators.creator_id,

    creators.category,
    coalesce(latest.size_band, 'unknown') as size_band,

    latest.follower_count,
    creators.target_revenue_usd,
    creators.target_aov_usd,
    creators.target_reach as target_reach_count,
    creators.target_cpa_usd,
    creators.target_cpe_usd,
    creators.target_cpv_usd,

    creators.has_record,
    creators.first_observed_date is null as is_empty,

    creators.joined_date,
    creators.first_observed_date
from creators
left join latest on creators.creator_id = latest.creator_id
