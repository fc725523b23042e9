with

-- Whole months only: half the spend of a month is not what its people cost.
cohorts as (

    select
        *,
        {{ day_diff('cohort_last_date', as_of_date()) }} as observed_days
    from {{ ref('int_cohort_values_aged') }}
    where cohort_grain = 'month'
        and segment_dimension = 'acquisition_channel'
        and cohort_last_date <= {{ as_of_date() }}

),

spends as (

    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as cohort_date,
        acquisition_channel as segment_value,
        cast(sum(spend_usd) as decimal(18, 6)) as spend_usd
    from {{ ref('int_acquisition_costs_converted') }}
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date), acquisition_channel

),

-- Only ages that every member has lived through say what the cohort is worth.
ages as (

    select
        cohorts.cohort_date,
        cohorts.segment_value,
        cohorts.age_days < cohorts.observed_days as is_lived_through,
        cohorts.age_days,
        spends.spend_usd,
        cohorts.gross_usd - cohorts.refunded_usd + cohorts.ad_revenue_usd as revenue_usd,
        cohorts.gross_usd - cohorts.refunded_usd + cohorts.ad_revenue_usd - cohorts.store_fee_usd
        - cohorts.llm_cost_usd as margin_usd,
        sum(
            cohorts.gross_usd - cohorts.refunded_usd + cohorts.ad_revenue_usd - cohorts.store_fee_usd
            - cohorts.llm_cost_usd
        ) over (
            partition by cohorts.cohort_date, cohorts.segment_value order by cohorts.age_days asc nulls last
            rows between unbounded preceding and current row
        ) as margin_to_age_usd
    from cohorts
    left join spends on cohorts.cohort_date = spends.cohort_date and cohorts.segment_value = spends.segment_value

),

earned as (

    select
        cohort_date,
        segment_value,
        cast(sum(case when is_lived_through then revenue_usd else 0 end) as decimal(18, 6)) as revenue_usd,
        cast(sum(case when is_lived_through then margin_usd else 0 end) as decimal(18, 6)) as contribution_margin_usd,
        min(
            case when is_lived_through and spend_usd > 0 and margin_to_age_usd >= spend_usd then age_days end
        ) as payback_days
    from ages
    group by cohort_date, segment_value

),

sizes as (

    select distinct cohort_date, segment_value, cohort_size, observed_days from cohorts

),

joined as (

    select
        coalesce(sizes.cohort_date, spends.cohort_date) as cohort_date,
        coalesce(sizes.segment_value, spends.segment_value) as segment_value,
        coalesce(sizes.cohort_size, 0) as new_user_count,
        sizes.observed_days,
        spends.spend_usd
    from sizes
    full outer join spends on sizes.cohort_date = spends.cohort_date and sizes.segment_value = spends.segment_value

)

select
    joined.cohort_date as cohort_month_date,
    joined.segment_value as acquisition_channel,

    joined.new_user_count,
    joined.spend_usd,
    {{ safe_divide('joined.spend_usd', 'joined.new_user_count') }} as customer_acquisition_cost,
    cast(joined.observed_days as bigint) as observed_days,
    earned.revenue_usd,
    earned.contribution_margin_usd,
    {{ safe_divide('earned.revenue_usd', 'joined.new_user_count') }} as revenue_per_user_so_far,
    {{ safe_divide('earned.contribution_margin_usd', 'joined.spend_usd') }} as ltv_cac_ratio,
    cast(earned.payback_days as bigint) as payback_days
from joined
left join earned
    on joined.cohort_date = earned.cohort_date
    and joined.segment_value = earned.segment_value
    and joined.observed_days > 0
where {{ add_days(
    'cast(' ~ dbt.date_trunc('month', add_days('joined.cohort_date', 31)) ~ ' as date)', -1
) }} <= {{ as_of_date() }}
