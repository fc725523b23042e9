-- A gap would end the walk, two rows of one number would be one step with two names, and an exclusion needs a
-- step to stand in the way of. One funnel has one window.
with

steps as (

    select
        funnel,
        count(case when not is_exclusion then 1 end) as step_count,
        count(distinct case when not is_exclusion then step_number end) as number_count,
        coalesce(min(case when not is_exclusion then step_number end), 0) as first_number,
        coalesce(max(case when not is_exclusion then step_number end), 0) as last_number,
        coalesce(max(case when is_exclusion then step_number end), 0) as last_exclusion,
        count(distinct window_days) as window_count
    from {{ ref('funnel_steps') }}
    group by funnel

)

select *
from steps
where first_number <> 1
    or step_count <> last_number
    or number_count <> last_number
    or last_number < 2
    or last_exclusion >= last_number
    or window_count <> 1
