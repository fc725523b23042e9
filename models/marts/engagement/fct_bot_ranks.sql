with

scores as (

    select * from {{ ref('fct_bot_scores') }}

),

bands as (

    select * from {{ ref('traffic_bands') }}

),

tiers as (

    select * from {{ ref('bot_tiers') }}

),

layers as (

    select * from {{ ref('market_layers') }}

),

banded as (

    select
        scores.*,
        bands.traffic_band,
        bands.is_ranked and scores.quality_score is not null as is_ranked
    from scores
    inner join bands
        on scores.view_count >= bands.min_view_count and scores.view_count < bands.below_view_count

),

ranked as (

    select
        *,
        count(*) over (partition by score_date, traffic_band, is_ranked) as band_bot_count,
        rank() over (
            partition by score_date, traffic_band, is_ranked order by quality_score desc nulls last
        ) as band_rank,
        count(*) over (partition by score_date, is_ranked) as market_bot_count,
        rank() over (
            partition by score_date, is_ranked order by quality_score desc nulls last
        ) as market_rank
    from banded

),

-- Bots not above this one, itself and its equals counted: the best of a band always has all of them.
counted as (

    select
        *,
        band_bot_count - band_rank + 1 as band_passed_count,
        market_bot_count - market_rank + 1 as market_passed_count
    from ranked

)

select
    counted.bot_id,
    counted.score_date,

    counted.workflow,
    counted.creator_id,
    counted.model_version,
    counted.is_ai_generated,

    counted.view_count,
    counted.traffic_band,
    counted.quality_score,
    counted.coverage_rate,
    case when counted.is_ranked then counted.band_bot_count end as band_bot_count,
    case when counted.is_ranked then cast(counted.band_rank as bigint) end as band_rank,
    case
        when counted.is_ranked then {{ safe_divide('counted.band_passed_count', 'counted.band_bot_count') }}
    end as band_percentile,
    coalesce(tiers.tier, 'insufficient') as tier,
    tiers.tier_rank,
    case when counted.is_ranked then counted.market_bot_count end as market_bot_count,
    case when counted.is_ranked then cast(counted.market_rank as bigint) end as market_rank,
    case
        when counted.is_ranked then {{ safe_divide('counted.market_passed_count', 'counted.market_bot_count') }}
    end as market_percentile,
    coalesce(layers.market_layer, 'insufficient') as market_layer,

    counted.is_ranked,
    {{ is_final('counted.score_date') }} as is_final
from counted
left join tiers
    on counted.is_ranked
    and counted.band_passed_count > tiers.above_percentile * counted.band_bot_count
    and counted.band_passed_count <= tiers.up_to_percentile * counted.band_bot_count
left join layers
    on counted.is_ranked
    and counted.market_passed_count > layers.above_percentile * counted.market_bot_count
    and counted.market_passed_count <= layers.up_to_percentile * counted.market_bot_count
