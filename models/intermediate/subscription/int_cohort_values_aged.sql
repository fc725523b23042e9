{{ config(materialized='table') }}
{%- set measures = ['order_count', 'payer_count', 'subscriber_count', 'due_count', 'renewed_count'] %}
{%- set amounts = ['gross_usd', 'refunded_usd', 'store_fee_usd', 'ad_revenue_usd', 'llm_cost_usd'] %}

with

-- Cohorts of a day for the usual segments; of a month also by what brought the people.
segments as (

    select person_key, segment_dimension, segment_value, 'day' as cohort_grain, first_active_date as cohort_date
    from {{ ref('int_persons_segmented') }}
    union all
    select
        person_key,
        segment_dimension,
        segment_value,
        'month' as cohort_grain,
        cast({{ dbt.date_trunc('month', 'first_active_date') }} as date) as cohort_date
    from {{ ref('int_persons_segmented') }}
    union all
    select
        person_key,
        segment_dimension,
        segment_value,
        'month' as cohort_grain,
        cast({{ dbt.date_trunc('month', 'first_active_date') }} as date) as cohort_date
    from {{ ref('int_persons_segmented_by_first_bot') }}

),

-- Everybody stands in the cohort, with or without a payment.
sizes as (

    select cohort_grain, cohort_date, segment_dimension, segment_value, count(*) as cohort_size
    from segments
    group by cohort_grain, cohort_date, segment_dimension, segment_value

),

aged as (

    select
        segments.cohort_grain,
        segments.cohort_date,
        segments.segment_dimension,
        segments.segment_value,
        {%- for measure in measures %}
        cast(sum(person_values.{{ measure }}) as bigint) as {{ measure }},
        {%- endfor %}
        {%- for amount in amounts %}
        cast(sum(person_values.{{ amount }}) as decimal(18, 6)) as {{ amount }},
        {%- endfor %}
        person_values.age_days
    from segments
    inner join {{ ref('int_person_values_aged') }} as person_values on segments.person_key = person_values.person_key
    group by
        segments.cohort_grain, segments.cohort_date, segments.segment_dimension, segments.segment_value,
        person_values.age_days

)

select
    sizes.cohort_grain,
    sizes.cohort_date,
    -- Day on which the last member joined, at the latest.
    case
        when sizes.cohort_grain = 'day' then sizes.cohort_date
        else {{ add_days(
            'cast(' ~ dbt.date_trunc('month', add_days('sizes.cohort_date', 31)) ~ ' as date)', -1
        ) }}
    end as cohort_last_date,
    sizes.segment_dimension,
    sizes.segment_value,
    sizes.cohort_size,
    {%- for column in measures + amounts %}
    coalesce(aged.{{ column }}, 0) as {{ column }},
    {%- endfor %}
    -- -1 in a cohort nobody of which brought or cost anything yet.
    coalesce(aged.age_days, -1) as age_days
from sizes
left join aged
    on sizes.cohort_grain = aged.cohort_grain
    and sizes.cohort_date = aged.cohort_date
    and sizes.segment_dimension = aged.segment_dimension
    and sizes.segment_value = aged.segment_value
