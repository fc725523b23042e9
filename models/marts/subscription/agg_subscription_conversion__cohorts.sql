with

cells as (

    select * from {{ ref('int_cohort_values_matured') }}
    where segment_dimension not in ('acquisition_workflow', 'acquisition_tag')

),

ages as (

    select * from {{ ref('int_cohort_values_aged') }}
    where subscriber_count > 0

),

-- How many had converted by each age, in every window that has closed.
reached as (

    select
        cells.cohort_grain,
        cells.cohort_date,
        cells.segment_dimension,
        cells.segment_value,
        cells.window_days,
        cells.subscriber_count,
        ages.age_days,
        sum(ages.subscriber_count) over (
            partition by
                cells.cohort_grain, cells.cohort_date, cells.segment_dimension, cells.segment_value, cells.window_days
            order by ages.age_days asc nulls last
            rows between unbounded preceding and current row
        ) as reached_count
    from cells
    inner join ages
        on cells.cohort_grain = ages.cohort_grain
        and cells.cohort_date = ages.cohort_date
        and cells.segment_dimension = ages.segment_dimension
        and cells.segment_value = ages.segment_value
        and cells.window_days > ages.age_days

),

-- The middle one, or the mean of the two in the middle.
middles as (

    select
        cohort_grain,
        cohort_date,
        segment_dimension,
        segment_value,
        window_days,
        min(case when 2 * reached_count >= subscriber_count then age_days end) as lower_days,
        min(case when 2 * reached_count > subscriber_count then age_days end) as upper_days
    from reached
    group by cohort_grain, cohort_date, segment_dimension, segment_value, window_days

)

select
    cells.cohort_grain,
    cells.cohort_date,
    cells.segment_dimension,
    cells.segment_value,
    cells.window_days,

    cells.cohort_size,
    cells.subscriber_count as converted_user_count,
    {{ safe_divide('cells.subscriber_count', 'cells.cohort_size') }} as subscription_conversion_rate,
    {{ safe_divide('middles.lower_days + middles.upper_days', '2') }} as median_days_to_convert,

    {{ is_final(add_days('cells.cohort_last_date', 'cells.window_days')) }} as is_final
from cells
left join middles
    on cells.cohort_grain = middles.cohort_grain
    and cells.cohort_date = middles.cohort_date
    and cells.segment_dimension = middles.segment_dimension
    and cells.segment_value = middles.segment_value
    and cells.window_days = middles.window_days
