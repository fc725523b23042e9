with

sums as (

    select * from {{ ref('int_bot_indicators_unpivoted') }}

),

estimates as (

    select * from {{ ref('py_bot_indicators') }}

),

weights as (

    select * from {{ ref('bot_score_weights') }}

)

select
    sums.bot_id,
    sums.score_date,
    sums.indicator,

    cast(weights.weight as decimal(9, 6)) as score_weight,
    sums.numerator_count,
    sums.denominator_count,
    sums.unit_count,
    estimates.raw_value,
    estimates.shrunk_value,
    estimates.credible_low,
    estimates.credible_high,
    estimates.percentile,

    {{ is_final('sums.score_date') }} as is_final
from sums
inner join estimates
    on sums.bot_id = estimates.bot_id
    and sums.score_date = estimates.score_date
    and sums.indicator = estimates.indicator
inner join weights on sums.indicator = weights.indicator
