with

bots as (

    select * from {{ ref('int_bots_versioned') }}

)

select
    attributed.activity_date,
    attributed.bot_id,
    'messages_before_v1' as rule_version,

    coalesce(bots.workflow, 'none') as workflow,
    coalesce(bots.creator_id, 'none') as creator_id,

    attributed.payer_count,
    attributed.gross_usd,
    attributed.refunded_usd,
    cast(attributed.gross_usd - attributed.refunded_usd as decimal(18, 6)) as attributed_net_usd,
    attributed.store_fee_usd,

    {{ is_final('attributed.activity_date') }} as is_final
from {{ ref('int_revenues_attributed_to_bots') }} as attributed
left join bots
    on attributed.bot_id = bots.bot_id
    and attributed.activity_date between bots.valid_from_date and bots.valid_to_date
