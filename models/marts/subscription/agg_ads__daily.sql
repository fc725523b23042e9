with

days as (

    select calendar_date as activity_date from {{ ref('int_dates_spined') }}

),

people as (

    select
        event_date as activity_date,
        count(case when is_active then 1 end) as active_user_count,
        count(case when ad_impression_count > 0 then 1 end) as ad_user_count,
        count(case when ad_impression_count > 0 and is_active then 1 end) as active_ad_user_count,
        cast(sum(ad_impression_count) as bigint) as ad_impression_count,
        cast(sum(ad_revenue_micros) as bigint) as ad_revenue_micros
    from {{ ref('int_user_days_classified') }}
    where is_human
    group by event_date

),

counted as (

    select
        days.activity_date,
        coalesce(people.active_user_count, 0) as active_user_count,
        coalesce(people.ad_user_count, 0) as ad_user_count,
        coalesce(people.active_ad_user_count, 0) as active_ad_user_count,
        coalesce(people.ad_impression_count, 0) as ad_impression_count,
        cast(
            cast(coalesce(people.ad_revenue_micros, 0) as decimal(18, 0)) * cast(0.000001 as decimal(7, 6))
            as decimal(18, 6)
        ) as ad_revenue_usd
    from days
    left join people on days.activity_date = people.activity_date

)

select
    activity_date,

    active_user_count,
    ad_user_count,
    active_ad_user_count,
    ad_impression_count,
    ad_revenue_usd,
    {{ safe_divide('active_ad_user_count', 'active_user_count') }} as ad_exposure_rate,
    {{ safe_divide('ad_impression_count', 'ad_user_count') }} as ads_per_exposed_user,
    {{ safe_divide('ad_impression_count', 'active_user_count') }} as ads_per_user,
    {{ safe_divide('1000 * ad_revenue_usd', 'ad_impression_count') }} as ecpm,
    {{ safe_divide('ad_revenue_usd', 'active_user_count') }} as ad_arpu,
    {{ safe_divide('ad_revenue_usd', 'ad_user_count') }} as ad_revenue_per_exposed_user,

    {{ is_final('activity_date') }} as is_final
from counted
