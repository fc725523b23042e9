with

cohorts as (

    select * from {{ ref('int_bot_cohorts_returned') }}

),

bots as (

    select * from {{ ref('int_bots_versioned') }}

)

select
    bots.bot_id,
    cohorts.cohort_date,
    cohorts.retention_kind,
    cohorts.first_day,
    cohorts.last_day,
    cohorts.window_name,

    bots.workflow,

    cohorts.cohort_size,
    cohorts.returned_count,
    {{ safe_divide('cohorts.returned_count', 'cohorts.cohort_size') }} as retention_rate,
    {{ wilson_bound('cohorts.returned_count', 'cohorts.cohort_size', 'low') }} as retention_rate_low,
    {{ wilson_bound('cohorts.returned_count', 'cohorts.cohort_size', 'high') }} as retention_rate_high,

    cohorts.cohort_size < {{ number_var('retention_small_cohort_size') }} as is_small,
    {{ is_final(add_days('cohorts.cohort_date', 'cohorts.last_day')) }} as is_final
from cohorts
inner join bots
    on cohorts.bot_key = bots.bot_key
    and cohorts.cohort_date between bots.valid_from_date and bots.valid_to_date
