-- Renewals by plan and weeks of use by people, one form for one model of who stays.
select
    'subscriptions' as subject,
    plan_id as segment_value,
    origin_date,
    is_ahead,
    renewals_made_count,
    steps_ahead,
    customer_count,
    kept_count
from {{ ref('int_forecast_renewals_counted') }}
union all
select
    'people' as subject,
    'all' as segment_value,
    origin_date,
    is_ahead,
    renewals_made_count,
    steps_ahead,
    customer_count,
    kept_count
from {{ ref('int_forecast_lifetimes_counted') }}
