with

verdicts as (

    select * from {{ ref('int_verdicts_resolved') }}

),

raters as (

    select
        rater_id,
        rater_kind,
        count(*) as verdict_count,
        count(case when is_tie then 1 end) as tie_count,
        count(case when not is_tie then 1 end) as decided_count,
        count(case when is_first_winner then 1 end) as first_won_count,
        count(is_as_people_said) as human_compared_count,
        count(case when is_as_people_said then 1 end) as human_agreeing_count
    from verdicts
    group by rater_id, rater_kind

),

-- The same pair in both orders: who decides by content names the same answer twice.
both_orders as (

    select
        firsts.rater_id,
        firsts.rater_kind,
        count(*) as swapped_pair_count,
        count(case
            when not firsts.is_tie and not seconds.is_tie and firsts.is_left_winner = seconds.is_left_winner then 1
        end) as consistent_pair_count
    from verdicts as firsts
    inner join verdicts as seconds
        on firsts.rater_id = seconds.rater_id
        and firsts.rater_kind = seconds.rater_kind
        and firsts.left_id = seconds.left_id
        and firsts.right_id = seconds.right_id
    where firsts.is_left_first and not seconds.is_left_first
    group by firsts.rater_id, firsts.rater_kind

)

select
    raters.rater_id,
    raters.rater_kind,

    raters.verdict_count,
    raters.tie_count,
    raters.decided_count,
    raters.first_won_count,
    {{ safe_divide('raters.first_won_count', 'raters.decided_count') }} as first_won_rate,
    {{ wilson_bound('raters.first_won_count', 'raters.decided_count', 'low') }} as first_won_rate_low,
    {{ wilson_bound('raters.first_won_count', 'raters.decided_count', 'high') }} as first_won_rate_high,
    coalesce(both_orders.swapped_pair_count, 0) as swapped_pair_count,
    coalesce(both_orders.consistent_pair_count, 0) as consistent_pair_count,
    {{ safe_divide('both_orders.consistent_pair_count', 'both_orders.swapped_pair_count') }}
        as position_agreement_rate,
    raters.human_compared_count,
    raters.human_agreeing_count,
    {{ safe_divide('raters.human_agreeing_count', 'raters.human_compared_count') }} as judge_accuracy,
    {{ wilson_bound('raters.human_agreeing_count', 'raters.human_compared_count', 'low') }} as judge_accuracy_low,
    {{ wilson_bound('raters.human_agreeing_count', 'raters.human_compared_count', 'high') }} as judge_accuracy_high
from raters
left join both_orders
    on raters.rater_id = both_orders.rater_id and raters.rater_kind = both_orders.rater_kind
