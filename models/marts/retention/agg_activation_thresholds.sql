with

halves as (

    select
        event_name,
        window_days,
        threshold_count,
        {%- for half in ['choose', 'measure'] %}
        {%- for measure in ['reached_count', 'reached_retained_count', 'other_count', 'other_retained_count'] %}
        coalesce(max(case when half = '{{ half }}' then {{ measure }} end), 0) as {{ half }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        count(*) as half_count
    from {{ ref('int_activation_thresholds_counted') }}
    group by event_name, window_days, threshold_count

),

-- Correlation of the two yes-or-no questions "reached it" and "came back" (phi), over the half that chooses.
associated as (

    select
        *,
        cast(
            choose_reached_retained_count * (choose_other_count - choose_other_retained_count)
            - choose_other_retained_count * (choose_reached_count - choose_reached_retained_count) as double
        )
        / nullif(
            sqrt(cast(choose_reached_count as double) * cast(choose_other_count as double))
            * sqrt(
                cast(choose_reached_retained_count + choose_other_retained_count as double)
                * cast(
                    choose_reached_count + choose_other_count
                    - choose_reached_retained_count - choose_other_retained_count as double
                )
            ), 0
        ) as association
    from halves

),

-- Only thresholds that split the half into groups large enough to tell anything may be chosen.
ranked as (

    select
        *,
        row_number() over (
            partition by event_name, window_days
            order by
                case
                    when choose_reached_count >= {{ number_var('retention_small_cohort_size') }}
                        and choose_other_count >= {{ number_var('retention_small_cohort_size') }}
                        and association > 0 then association
                end desc nulls last,
                threshold_count asc nulls last
        ) as place
    from associated

),

rated as (

    select
        *,
        {{ safe_divide('measure_reached_retained_count', 'measure_reached_count') }} as reached_retention_rate,
        {{ safe_divide('measure_other_retained_count', 'measure_other_count') }} as other_retention_rate,
        {%- for side in ['low', 'high'] %}
        {{ wilson_bound('measure_reached_retained_count', 'measure_reached_count', side) }} as reached_{{ side }},
        {{ wilson_bound('measure_other_retained_count', 'measure_other_count', side) }} as other_{{ side }},
        {%- endfor %}
        place = 1
        and choose_reached_count >= {{ number_var('retention_small_cohort_size') }}
        and choose_other_count >= {{ number_var('retention_small_cohort_size') }}
        and coalesce(association > 0, false) as is_chosen
    from ranked

)

select
    event_name,
    window_days,
    threshold_count,

    choose_reached_count,
    choose_reached_retained_count,
    choose_other_count,
    choose_other_retained_count,
    association as choose_correlation,
    is_chosen,

    measure_reached_count,
    measure_reached_retained_count,
    reached_retention_rate,
    measure_other_count,
    measure_other_retained_count,
    other_retention_rate,
    reached_retention_rate - other_retention_rate as retention_difference,
    -- Newcombe's interval: the two Wilson intervals put together.
    reached_retention_rate - other_retention_rate - sqrt(
        power(reached_retention_rate - reached_low, 2) + power(other_high - other_retention_rate, 2)
    ) as retention_difference_low,
    reached_retention_rate - other_retention_rate + sqrt(
        power(reached_high - reached_retention_rate, 2) + power(other_retention_rate - other_low, 2)
    ) as retention_difference_high,

    true as is_associational
from rated
