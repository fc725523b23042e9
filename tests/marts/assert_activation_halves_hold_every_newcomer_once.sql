-- Whatever the event, window and threshold, the same newcomers are split: those with a whole month behind them.
with

newcomers as (

    select count(*) as person_count
    from {{ ref('int_persons_cohorted') }}
    where {{ add_days('first_active_date', number_var('churn_days')) }} <= {{ as_of_date() }}

)

select
    thresholds.event_name,
    thresholds.window_days,
    thresholds.threshold_count
from {{ ref('agg_activation_thresholds') }} as thresholds
cross join newcomers
where
    thresholds.choose_reached_count + thresholds.choose_other_count
    + thresholds.measure_reached_count + thresholds.measure_other_count <> newcomers.person_count
