-- Too few views are no reason to be warned of, and an alert without its bot cannot be looked into.
select
    alerts.bot_id,
    alerts.score_date,
    alerts.reason_code,
    ranks.view_count,
    ranks.tier
from {{ ref('fct_bot_alerts') }} as alerts
left join {{ ref('fct_bot_ranks') }} as ranks
    on alerts.bot_id = ranks.bot_id and alerts.score_date = ranks.score_date
where ranks.bot_id is null
    or not ranks.is_ranked
    or ranks.tier <> alerts.tier
    or (alerts.reason_code = 'tier_d') <> (ranks.tier = 'D' and alerts.indicator = 'quality_score')
union all
select
    ranks.bot_id,
    ranks.score_date,
    'tier_d' as reason_code,
    ranks.view_count,
    ranks.tier
from {{ ref('fct_bot_ranks') }} as ranks
left join {{ ref('fct_bot_alerts') }} as alerts
    on ranks.bot_id = alerts.bot_id and ranks.score_date = alerts.score_date and alerts.reason_code = 'tier_d'
where ranks.tier = 'D' and alerts.bot_id is null
