-- Every reason is one measured value below one threshold. What an experiment found is known today and warns on the
-- newest day only.
{%- set watched = {
    'click_through': 'click_through_below_market',
    'chat_start': 'chat_start_below_market',
} %}
with

ranks as (

    select * from {{ ref('fct_bot_ranks') }}
    where is_ranked

),

indicators as (

    select
        indicators.score_date,
        indicators.bot_id,
        indicators.indicator,
        indicators.shrunk_value,
        indicators.credible_high
    from {{ ref('fct_bot_indicators') }} as indicators
    inner join ranks on indicators.bot_id = ranks.bot_id and indicators.score_date = ranks.score_date
    where indicators.indicator in ({{ quoted_list(watched) }}) and indicators.shrunk_value is not null

),

-- The market is what is ranked: bots that hardly anyone saw all stand close to its mean.
markets as (

    select
        score_date,
        indicator,
        percentile_cont(0.25) within group (order by shrunk_value) as market_p25
    from indicators
    group by score_date, indicator

),

lowest_tier as (

    select up_to_percentile
    from {{ ref('bot_tiers') }}
    where tier = 'D'

),

reasons as (

    select
        ranks.score_date,
        ranks.bot_id,
        'tier_d' as reason_code,
        'quality_score' as indicator,
        ranks.band_percentile as measured_value,
        cast(lowest_tier.up_to_percentile as double) as threshold_value
    from ranks
    cross join lowest_tier
    where ranks.tier = 'D'
    {%- for indicator, reason in watched.items() %}
    union all
    select
        indicators.score_date,
        indicators.bot_id,
        '{{ reason }}' as reason_code,
        indicators.indicator,
        indicators.credible_high as measured_value,
        markets.market_p25 as threshold_value
    from indicators
    inner join markets
        on indicators.score_date = markets.score_date and indicators.indicator = markets.indicator
    where indicators.indicator = '{{ indicator }}' and indicators.credible_high < markets.market_p25
    {%- endfor %}
    union all
    select
        ranks.score_date,
        ranks.bot_id,
        'negative_uplift' as reason_code,
        'experiment' as indicator,
        1 - harms.harm_probability as measured_value,
        cast(1 - {{ number_var('bot_harm_probability') }} as double) as threshold_value
    from ranks
    inner join {{ ref('int_bot_harms_judged') }} as harms on ranks.bot_id = harms.bot_id
    where ranks.score_date = {{ as_of_date() }} and harms.harm_probability > {{ number_var('bot_harm_probability') }}

)

select
    reasons.bot_id,
    reasons.score_date,
    reasons.reason_code,

    reasons.indicator,
    ranks.workflow,
    ranks.creator_id,
    ranks.model_version,
    ranks.traffic_band,
    ranks.tier,

    ranks.view_count,
    ranks.quality_score,
    reasons.measured_value,
    reasons.threshold_value,

    ranks.is_final
from reasons
inner join ranks on reasons.bot_id = ranks.bot_id and reasons.score_date = ranks.score_date
