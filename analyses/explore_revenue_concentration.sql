-- On how few people does revenue rest?
--
-- On the shipped sample (200 days to July 18, 2026) 215 people paid more than they got back, 21,206 dollars
-- together. The 21 who paid most brought 45 % of it, the next tenth 17 %; the lower half of the payers brought 14 %.
-- So a mean per payer says little about a payer, and a test on revenue needs many more people than one on payers.
with

people as (

    select
        person_id,
        sum(net_usd) as net_usd
    from {{ ref('fct_orders') }}
    group by person_id

),

ranked as (

    select
        person_id,
        net_usd,
        row_number() over (order by net_usd desc nulls last, person_id asc nulls last) as payer_rank,
        count(*) over () as payer_total,
        sum(net_usd) over () as total_usd
    from people
    where net_usd > 0

)

select
    cast(ceil(10.0 * payer_rank / nullif(payer_total, 0)) as bigint) as tenth,
    count(*) as payer_count,
    cast(sum(net_usd) as decimal(18, 2)) as net_usd,
    {{ safe_divide('sum(net_usd)', 'max(total_usd)') }} as revenue_share
from ranked
group by cast(ceil(10.0 * payer_rank / nullif(payer_total, 0)) as bigint)
order by tenth asc nulls last
