-- Which plan keeps its subscribers?
--
-- On the shipped sample (200 days to July 18, 2026) 72 % of the 61 weeks, 87 % of the 46 basic months and 92 % of
-- the 38 pro months that came due were renewed. The rates do not compare as they stand: a weekly subscriber decides
-- four times in four weeks, and 0.72 to the fourth is 27 %. Most losses are cancellations, not failed payments
-- (19 against 3). No year has come due yet, so the yearly plans have no row, which is not a rate of 0.
with

by_plan as (

    select
        renewals.plan_id,
        listed.period_unit,
        case listed.period_unit when 'week' then 4 when 'month' then 1 end as periods_in_28_days,
        sum(renewals.due_count) as due_count,
        sum(renewals.renewed_count) as renewed_count,
        sum(renewals.voluntary_lapsed_count) as voluntary_lapsed_count,
        sum(renewals.payment_failed_lapsed_count) as payment_failed_lapsed_count
    from {{ ref('agg_renewals__monthly') }} as renewals
    inner join {{ ref('plans') }} as listed on renewals.plan_id = listed.plan_id
    group by renewals.plan_id, listed.period_unit

)

select
    plan_id,
    due_count,
    renewed_count,
    {{ safe_divide('renewed_count', 'due_count') }} as renewal_rate,
    -- A week renewed four times in a row is what a month is that is renewed once.
    power({{ safe_divide('renewed_count', 'due_count') }}, periods_in_28_days) as kept_after_four_weeks,
    {{ safe_divide('voluntary_lapsed_count', 'due_count') }} as voluntary_lapse_rate,
    {{ safe_divide('payment_failed_lapsed_count', 'due_count') }} as payment_failed_lapse_rate
from by_plan
order by kept_after_four_weeks asc nulls last, plan_id asc nulls last
