-- Nobody is in two segments of a dimension, and nobody in none.
select
    whole.funnel,
    whole.step_number,
    parts.segment_dimension,
    whole.entered_count,
    sum(parts.entered_count) as entered_sum,
    whole.reached_count,
    sum(parts.reached_count) as reached_sum,
    whole.excluded_count,
    sum(parts.excluded_count) as excluded_sum
from {{ ref('agg_funnel_steps__segments') }} as whole
inner join {{ ref('agg_funnel_steps__segments') }} as parts
    on whole.funnel = parts.funnel and whole.step_number = parts.step_number
where whole.segment_dimension = 'all'
group by
    whole.funnel, whole.step_number, parts.segment_dimension,
    whole.entered_count, whole.reached_count, whole.excluded_count
having whole.entered_count <> sum(parts.entered_count)
    or whole.reached_count <> sum(parts.reached_count)
    or whole.excluded_count <> sum(parts.excluded_count)
