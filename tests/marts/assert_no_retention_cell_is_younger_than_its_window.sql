-- A cohort that is 2 days old has no day 7: the people who could not come back yet are not people who left.
with

last_days as (

    select
        'agg_retention__cohorts' as model_name,
        {{ add_days('cohort_date', "last_day + case when cohort_grain = 'week' then 6 else 0 end") }} as last_date
    from {{ ref('agg_retention__cohorts') }}
    union all
    select 'agg_retention__pooled', {{ add_days('last_cohort_date', 'last_day') }}
    from {{ ref('agg_retention__pooled') }}
    union all
    select 'agg_bot_retention__cohorts', {{ add_days('cohort_date', 'last_day') }}
    from {{ ref('agg_bot_retention__cohorts') }}
    union all
    select 'agg_active_user_retention__weekly', {{ add_days('week_start_date', '6 + lag_days') }}
    from {{ ref('agg_active_user_retention__weekly') }}
    {% for age in [1, 3, 7, 14, 30] -%}
    union all
    select 'agg_new_user_retention__daily', {{ add_days('cohort_date', age) }}
    from {{ ref('agg_new_user_retention__daily') }}
    where d{{ age }}_returned_count is not null
    {% endfor %}

)

select
    model_name,
    max(last_date) as last_date
from last_days
group by model_name
having max(last_date) > {{ as_of_date() }}
