-- Which bots have a card that nobody wants to open, so that it is worth a new picture and title?
--
-- One, on the shipped sample (28 days up to July 18, 2026): b00000c, opened on 3 of 287 cards, 1.0 %. The whole
-- credible interval of its click-through, 0.6 to 3.4 %, lies below 8.0 %, the 25th percentile of the 40 bots. The
-- list of raw rates would have named b000004 first: none of its 40 cards was opened, but a bot of the market does
-- that by luck often enough that its interval reaches 9.6 %. The same holds for the seven bots between 2 and 5 %.
-- At the other end b00000j (19 of 77) is above the market, and the two bots with the highest raw rates, 3 of 9 and
-- 4 of 15, are not known to be. No bot of the sample has the 100 views that fct_bot_alerts asks for, so there is
-- no alert: this is the same rule without that floor.
with

cards as (

    select
        bot_id,
        denominator_count as impression_count,
        numerator_count as clicked_impression_count,
        raw_value,
        shrunk_value,
        credible_low,
        credible_high,
        rank() over (order by raw_value asc nulls last) as raw_rank
    from {{ ref('fct_bot_indicators') }}
    where indicator = 'click_through'
        and raw_value is not null
        and score_date = {{ as_of_date() }}

),

markets as (

    select
        percentile_cont(0.25) within group (order by shrunk_value) as market_p25,
        percentile_cont(0.75) within group (order by shrunk_value) as market_p75
    from cards

)

select
    cards.bot_id,
    cards.raw_rank,
    cards.impression_count,
    cards.clicked_impression_count,
    cards.raw_value,
    cards.shrunk_value,
    cards.credible_low,
    cards.credible_high,
    markets.market_p25,
    case
        when cards.credible_high < markets.market_p25 then 'clicked less than the market'
        when cards.credible_low > markets.market_p75 then 'clicked more than the market'
        else 'chance could do it'
    end as verdict
from cards
cross join markets
order by cards.raw_rank asc nulls last, cards.impression_count desc nulls last, cards.bot_id asc nulls last
