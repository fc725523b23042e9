{{ config(materialized='table') }}

-- Lives of people in weeks since they joined, as far as they were known on each day of a forecast, and what has
-- been seen of them since. A silence is known once it has lasted churn_days, for those who left and those who stayed.
-- Who leaves within the first week came to have a look: no model of those who stay describes them, so lives are
-- counted from the second week on.
with

lives as (

    select
        first_active_date,
        -- The week in which the last active day before the silence lies.
        case when is_lapsed then cast(floor((lifetime_days - 1) / 7) as bigint) + 1 end as lost_week,
        count(*) as person_count
    from {{ ref('int_lifetimes_measured') }}
    group by first_active_date, case when is_lapsed then cast(floor((lifetime_days - 1) / 7) as bigint) + 1 end

),

placed as (

    select
        origins.origin_date,
        origins.passed_days,
        cast(floor({{ day_diff('lives.first_active_date', 'origins.watched_date') }} / 7) as bigint) as whole_weeks,
        lives.lost_week,
        sum(lives.person_count) as person_count
    from lives
    inner join {{ ref('int_forecast_origins_listed') }} as origins
        on lives.first_active_date <= origins.watched_date
    group by
        origins.origin_date, origins.passed_days, lives.lost_week,
        cast(floor({{ day_diff('lives.first_active_date', 'origins.watched_date') }} / 7) as bigint)

),

weeks as (

    select cast({{ day_diff('first_date', 'calendar_date') }} + 1 as bigint) as week_number
    from (
        select
            calendar_date,
            min(calendar_date) over () as first_date
        from {{ ref('int_dates_spined') }}
    ) as days

),

known as (

    select
        placed.origin_date,
        weeks.week_number - 2 as renewals_made_count,
        sum(placed.person_count) as customer_count,
        sum(case when placed.lost_week = weeks.week_number then 0 else placed.person_count end) as kept_count
    from placed
    inner join weeks
        on weeks.week_number > 1
        and placed.whole_weeks >= weeks.week_number
        and (placed.lost_week is null or placed.lost_week >= weeks.week_number)
    group by placed.origin_date, weeks.week_number

),

-- Who began a further week. Of those still to come 13 weeks are looked at; of past days, the weeks seen since.
later as (

    select
        placed.origin_date,
        placed.whole_weeks - 1 as renewals_made_count,
        weeks.week_number as steps_ahead,
        sum(placed.person_count) as customer_count,
        case
            when placed.passed_days > 0 then sum(
                    case
                        when placed.lost_week <= placed.whole_weeks + weeks.week_number then 0 else placed.person_count
                    end
                )
        end as kept_count
    from placed
    inner join weeks
        on weeks.week_number <= case when placed.passed_days > 0 then least(placed.passed_days / 7, 13) else 13 end
        and (placed.lost_week is null or placed.lost_week > placed.whole_weeks)
    where placed.whole_weeks > 0
    group by placed.origin_date, placed.passed_days, placed.whole_weeks, weeks.week_number

)

select
    origin_date,
    false as is_ahead,
    renewals_made_count,
    cast(1 as bigint) as steps_ahead,
    cast(customer_count as bigint) as customer_count,
    cast(kept_count as bigint) as kept_count
from known
union all
select
    origin_date,
    true as is_ahead,
    renewals_made_count,
    steps_ahead,
    cast(customer_count as bigint) as customer_count,
    cast(kept_count as bigint) as kept_count
from later
