-- Every day that every cohort of a day has lived through, quiet ones too: who was there, who was active, what they
-- brought. Everybody together and by acquisition channel, for these are what money is spent on.
with

segments as (

    select
        person_key,
        segment_dimension,
        segment_value,
        first_active_date as cohort_date
    from {{ ref('int_persons_segmented') }}
    where segment_dimension in ('all', 'acquisition_channel')

),

sizes as (

    select segment_dimension, segment_value, cohort_date, count(*) as cohort_size
    from segments
    group by segment_dimension, segment_value, cohort_date

),

returned as (

    select
        segments.segment_dimension,
        segments.segment_value,
        segments.cohort_date,
        ages.age_days,
        count(*) as active_count
    from segments
    inner join {{ ref('int_active_days_aged') }} as ages on segments.person_key = ages.person_key
    group by segments.segment_dimension, segments.segment_value, segments.cohort_date, ages.age_days

),

paid as (

    select
        segment_dimension,
        segment_value,
        cohort_date,
        age_days,
        gross_usd - refunded_usd + ad_revenue_usd as revenue_usd
    from {{ ref('int_cohort_values_aged') }}
    where cohort_grain = 'day' and segment_dimension in ('all', 'acquisition_channel') and age_days >= 0

),

lived as (

    select
        sizes.*,
        days.calendar_date,
        {{ day_diff('sizes.cohort_date', 'days.calendar_date') }} as age_days
    from sizes
    inner join {{ ref('int_dates_spined') }} as days on sizes.cohort_date <= days.calendar_date

)

select
    lived.segment_dimension,
    lived.segment_value,
    lived.cohort_date,
    lived.calendar_date,
    cast(lived.age_days as bigint) as age_days,
    lived.cohort_size as person_count,
    coalesce(returned.active_count, 0) as active_count,
    cast(coalesce(paid.revenue_usd, 0) as decimal(18, 6)) as revenue_usd
from lived
left join returned
    on lived.segment_dimension = returned.segment_dimension
    and lived.segment_value = returned.segment_value
    and lived.cohort_date = returned.cohort_date
    and lived.age_days = returned.age_days
left join paid
    on lived.segment_dimension = paid.segment_dimension
    and lived.segment_value = paid.segment_value
    and lived.cohort_date = paid.cohort_date
    and lived.age_days = paid.age_days
