{{ config(materialized='table') }}
{%- set measures = ['order_count', 'payer_count', 'subscriber_count', 'due_count', 'renewed_count'] %}
{%- set amounts = ['gross_usd', 'refunded_usd', 'store_fee_usd', 'ad_revenue_usd', 'llm_cost_usd'] %}

-- A cell exists as soon as the window is over for the whole cohort: not yet is no row, and nothing is 0.
select
    cohorts.cohort_grain,
    cohorts.cohort_date,
    cohorts.cohort_last_date,
    cohorts.segment_dimension,
    cohorts.segment_value,
    windows.window_days,
    {%- for measure in measures %}
    cast(sum(case when cohorts.age_days < windows.window_days then cohorts.{{ measure }} else 0 end) as bigint)
        as {{ measure }},
    {%- endfor %}
    {%- for amount in amounts %}
    cast(sum(case when cohorts.age_days < windows.window_days then cohorts.{{ amount }} else 0 end) as decimal(18, 6))
        as {{ amount }},
    {%- endfor %}
    cohorts.cohort_size
from {{ ref('int_cohort_values_aged') }} as cohorts
inner join {{ ref('value_windows') }} as windows
    on {{ add_days('cohorts.cohort_last_date', 'windows.window_days') }} <= {{ as_of_date() }}
group by
    cohorts.cohort_grain,
    cohorts.cohort_date,
    cohorts.cohort_last_date,
    cohorts.segment_dimension,
    cohorts.segment_value,
    windows.window_days,
    cohorts.cohort_size
