{{ config(materialized='table') }}

-- For every event, window and number of times: who reached it, and who of these and of the others was seen in the
-- fourth week. Counts beyond the highest threshold tell nothing more.
with

people as (

    select * from {{ ref('int_activation_persons_counted') }}

),

summed as (
    {% for window in [1, 3, 7] %}
    {%- for name in activation_events() %}
    select
        '{{ name }}' as event_name,
        {{ window }} as window_days,
        half,
        least({{ name }}_count_{{ window }}, 10) as times,
        count(*) as person_count,
        count(case when is_retained then 1 end) as retained_count
    from people
    group by half, least({{ name }}_count_{{ window }}, 10)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

thresholds as (
    {% for times in range(1, 11) %}
    select {{ times }} as threshold_count
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    summed.event_name,
    cast(summed.window_days as bigint) as window_days,
    cast(thresholds.threshold_count as bigint) as threshold_count,
    summed.half,
    cast(sum(case when summed.times >= thresholds.threshold_count then summed.person_count else 0 end) as bigint)
        as reached_count,
    cast(sum(case when summed.times >= thresholds.threshold_count then summed.retained_count else 0 end) as bigint)
        as reached_retained_count,
    cast(sum(case when summed.times < thresholds.threshold_count then summed.person_count else 0 end) as bigint)
        as other_count,
    cast(sum(case when summed.times < thresholds.threshold_count then summed.retained_count else 0 end) as bigint)
        as other_retained_count
from summed
cross join thresholds
group by summed.event_name, summed.window_days, thresholds.threshold_count, summed.half
