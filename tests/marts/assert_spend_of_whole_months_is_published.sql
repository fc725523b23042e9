-- The spend of every channel in every whole month is in the mart, whether the channel brought anybody or not.
with

spent as (

    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as cohort_month_date,
        sum(spend_usd) as spend_usd
    from {{ ref('int_acquisition_costs_converted') }}
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)

),

published as (

    select
        cohort_month_date,
        sum(spend_usd) as spend_usd,
        sum(new_user_count) as new_user_count
    from {{ ref('agg_acquisition__monthly') }}
    group by cohort_month_date

),

people as (

    select
        cast({{ dbt.date_trunc('month', 'first_active_date') }} as date) as cohort_month_date,
        count(*) as new_user_count
    from {{ ref('int_persons_cohorted') }}
    group by cast({{ dbt.date_trunc('month', 'first_active_date') }} as date)

)

select
    published.cohort_month_date,
    published.spend_usd,
    spent.spend_usd as spent_usd,
    published.new_user_count,
    people.new_user_count as people_count
from published
left join spent on published.cohort_month_date = spent.cohort_month_date
left join people on published.cohort_month_date = people.cohort_month_date
where coalesce(published.spend_usd, 0) <> coalesce(spent.spend_usd, 0)
    or published.new_user_count <> coalesce(people.new_user_count, 0)
