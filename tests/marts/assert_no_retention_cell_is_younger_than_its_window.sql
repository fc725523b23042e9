-- A cohort that is 2 days old has no day 7: the people who could not come back yet are not people who left.
select
    'agg_retention__cohorts' as model_name,
    max({{ add_days('cohort_date', "last_day + case when cohort_grain = 'week' then 6 else 0 end") }}) as last_date
from {{ ref('agg_retention__cohorts') }}
having max({{ add_days('cohort_date', "last_day + case when cohort_grain = 'week' then 6 else 0 end") }})
    > {{ as_of_date() }}
union all
select
    'agg_retention__pooled',
    max({{ add_days('last_cohort_date', 'last_day') }})
from {{ ref('agg_retention__pooled') }}
having max({{ add_days('last_cohort_date', 'last_day') }}) > {{ as_of_date() }}
union all
select
    'agg_bot_retention__cohorts',
    max({{ add_days('cohort_date', 'last_day') }})
from {{ ref('agg_bot_retention__cohorts') }}
having max({{ add_days('cohort_date', 'last_day') }}) > {{ as_of_date() }}
union all
select
    'agg_active_user_retention__weekly',
    max({{ add_days('week_start_date', '6 + lag_days') }})
from {{ ref('agg_active_user_retention__weekly') }}
having max({{ add_days('week_start_date', '6 + lag_days') }}) > {{ as_of_date() }}
union all
select
    'agg_new_user_retention__daily',
    max(case
        when d30_returned_count is not null then {{ add_days('cohort_date', 30) }}
        when d14_returned_count is not null then {{ add_days('cohort_date', 14) }}
        when d7_returned_count is not null then {{ add_days('cohort_date', 7) }}
        when d3_returned_count is not null then {{ add_days('cohort_date', 3) }}
        when d1_returned_count is not null then {{ add_days('cohort_date', 1) }}
        else cohort_date
    end)
from {{ ref('agg_new_user_retention__daily') }}
having max(case
    when d30_returned_count is not null then {{ add_days('cohort_date', 30) }}
    when d14_returned_count is not null then {{ add_days('cohort_date', 14) }}
    when d7_returned_count is not null then {{ add_days('cohort_date', 7) }}
    when d3_returned_count is not null then {{ add_days('cohort_date', 3) }}
    when d1_returned_count is not null then {{ add_days('cohort_date', 1) }}
    else cohort_date
end) > {{ as_of_date() }}
