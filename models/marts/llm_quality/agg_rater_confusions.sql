with

pairs as (

    select
        rater_id,
        'score' as subject,
        cast(score as string) as rater_value,
        cast(other_score as string) as human_value,
        pair_count
    from {{ ref('int_rating_pairs_counted') }}
    where other_rater_kind = 'human'
    union all
    select
        rater_id,
        'hallucination' as subject,
        flag as rater_value,
        other_flag as human_value,
        pair_count
    from {{ ref('int_rating_pairs_counted') }}
    where other_rater_kind = 'human' and flag <> 'unknown' and other_flag <> 'unknown'

)

select
    subject,
    rater_id,
    human_value,
    rater_value,
    cast(sum(pair_count) as bigint) as pair_count
from pairs
group by subject, rater_id, human_value, rater_value
