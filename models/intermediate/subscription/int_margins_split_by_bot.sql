-- Revenue goes to bots by the rule of attribution, an answer to the bot and the version that gave it. What
-- belongs to no bot is kept under 'none', advertisements among it.
with

bots as (

    select * from {{ ref('int_bots_versioned') }}

),

costs as (

    select
        activity_date,
        bot_id,
        model_version,
        sum(llm_cost_usd) as llm_cost_usd
    from {{ ref('int_llm_costs_aggregated_to_days') }}
    group by activity_date, bot_id, model_version

),

advertisements as (

    select
        activity_date,
        sum(ad_revenue_usd) as ad_revenue_usd
    from {{ ref('int_payments_aggregated_to_person_days') }}
    where ad_revenue_usd > 0
    group by activity_date

),

parts as (

    select
        activity_date, bot_id, cast(null as string) as model_version, gross_usd, refunded_usd, store_fee_usd,
        cast(0 as decimal(18, 6)) as ad_revenue_usd, cast(0 as decimal(18, 6)) as llm_cost_usd
    from {{ ref('int_revenues_attributed_to_bots') }}
    union all
    select activity_date, bot_id, model_version, 0, 0, 0, 0, llm_cost_usd from costs
    union all
    select activity_date, 'none' as bot_id, 'none' as model_version, 0, 0, 0, ad_revenue_usd, 0 from advertisements

)

select
    parts.activity_date,
    parts.bot_id,
    case when parts.bot_id = 'none' then 'none' else coalesce(bots.workflow, 'unknown') end as workflow,
    case
        when parts.model_version is not null then parts.model_version
        when parts.bot_id = 'none' then 'none'
        else coalesce(bots.model_version, 'unknown')
    end as model_version,
    parts.gross_usd,
    parts.refunded_usd,
    parts.store_fee_usd,
    parts.ad_revenue_usd,
    parts.llm_cost_usd
from parts
left join bots
    on parts.bot_id = bots.bot_id
    and parts.activity_date between bots.valid_from_date and bots.valid_to_date
