-- Every metric is a ratio of two sums over people; who has nothing to divide by is not in its population.
with

persons as (

    select * from {{ ref('int_group_persons_summed') }}

),

measured as (

    select person_key, 'active_day_share' as metric, active_days as numerator, eligible_days as denominator
    from persons
    union all
    select person_key, 'messages_per_active_day', new_message_count, active_days
    from persons
    union all
    select person_key, 'feature_adoption_rate', case when feature_use_count > 0 then 1 else 0 end, 1
    from persons
    where active_days > 0
    union all
    select person_key, 'd7_retention_rate', return_days, 1
    from persons
    where tenure_days >= 7
    union all
    -- Who converted before the first active day cannot convert after it.
    select
        person_key,
        'conversion_rate',
        case
            when {{ day_diff('first_active_date', 'first_conversion_date') }}
                <= {{ number_var('comparison_conversion_days') }} then 1
            else 0
        end,
        1
    from persons
    where tenure_days >= {{ number_var('comparison_conversion_days') }}
        and (first_conversion_date is null or first_conversion_date >= first_active_date)
    union all
    select person_key, 'mean_rating', score_sum, score_count
    from persons

)

select
    person_key,
    metric,
    cast(numerator as decimal(18, 3)) as numerator,
    cast(denominator as decimal(18, 0)) as denominator
from measured
where denominator > 0
union all
select
    person_key,
    'seconds_per_active_day',
    cast(cast(session_ms as decimal(18, 0)) * cast(0.001 as decimal(4, 3)) as decimal(18, 3)),
    cast(active_days as decimal(18, 0))
from persons
where active_days > 0
