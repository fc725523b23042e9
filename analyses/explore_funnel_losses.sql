-- Where do funnels lose most people, and is it the step or the audience?
--
-- On the shipped sample (last complete day July 18, 2026; entries whose seven days are over): the study funnel loses
-- most at its first turn, 303 of the 496 who opened the app (61 %) used no study feature within a week. It is the
-- audience: all 136 students and all 57 teachers did, none of the 183 consumers or of the 120 who never registered.
-- The chat funnel loses most when a card is shown, 203 of 354 (57 %) open none; from 31 % of the teachers to 48 % of
-- the consumers do, from 36 % on the web to 48 % on iOS, so no audience is spared: that step is the one to work on.
-- Work on the study funnel after its first turn, where 137 of 193 who used a feature rated no answer (71 %).
with

steps as (

    select * from {{ ref('agg_funnel_steps__segments') }}

),

lost as (

    select
        funnel,
        step_number,
        step_name,
        entered_count,
        previous_count,
        reached_count,
        previous_count - reached_count as lost_count,
        step_conversion_rate,
        conversion_rate,
        rank() over (
            partition by funnel
            order by previous_count - reached_count desc nulls last, step_number asc nulls last
        ) as loss_rank
    from steps
    where segment_dimension = 'all'

),

-- A loss that is the same in every segment is the step's; one that is not belongs to somebody.
segments as (

    select
        funnel,
        step_number,
        min(case when segment_dimension = 'role' then step_conversion_rate end) as lowest_role_rate,
        max(case when segment_dimension = 'role' then step_conversion_rate end) as highest_role_rate,
        min(case when segment_dimension = 'platform' then step_conversion_rate end) as lowest_platform_rate,
        max(case when segment_dimension = 'platform' then step_conversion_rate end) as highest_platform_rate
    from steps
    where segment_value <> 'unknown'
    group by funnel, step_number

)

select
    lost.funnel,
    lost.step_number,
    lost.step_name,

    lost.entered_count,
    lost.previous_count,
    lost.reached_count,
    lost.lost_count,
    lost.step_conversion_rate,
    lost.conversion_rate,
    segments.lowest_role_rate,
    segments.highest_role_rate,
    segments.lowest_platform_rate,
    segments.highest_platform_rate,
    lost.loss_rank = 1 as is_largest_loss
from lost
inner join segments on lost.funnel = segments.funnel and lost.step_number = segments.step_number
order by lost.funnel asc nulls last, lost.step_number asc nulls last
