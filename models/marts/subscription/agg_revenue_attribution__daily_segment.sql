with

attributed as (

    select * from {{ ref('agg_revenue_attribution__daily') }}

),

-- A bot with several tags adds to each of them: tags say where revenue comes from, they do not add up.
revenues as (

    select
        activity_date,
        'workflow' as segment_dimension,
        case when bot_id = 'none' then 'unattributed' else workflow end as segment_value,
        cast(sum(attributed_net_usd) as decimal(18, 6)) as attributed_net_usd
    from attributed
    group by activity_date, case when bot_id = 'none' then 'unattributed' else workflow end
    union all
    select
        attributed.activity_date,
        'tag' as segment_dimension,
        case when attributed.bot_id = 'none' then 'unattributed' else coalesce(tags.tag, 'untagged') end
            as segment_value,
        cast(sum(attributed.attributed_net_usd) as decimal(18, 6)) as attributed_net_usd
    from attributed
    left join {{ ref('int_bot_tags_merged') }} as tags
        on attributed.bot_id = tags.bot_id
        and attributed.activity_date between tags.valid_from_date and tags.valid_to_date
    group by
        attributed.activity_date,
        case when attributed.bot_id = 'none' then 'unattributed' else coalesce(tags.tag, 'untagged') end

),

joined as (

    select
        coalesce(revenues.activity_date, writers.activity_date) as activity_date,
        coalesce(revenues.segment_dimension, writers.segment_dimension) as segment_dimension,
        coalesce(revenues.segment_value, writers.segment_value) as segment_value,
        coalesce(writers.writer_count, 0) as writer_count,
        coalesce(revenues.attributed_net_usd, cast(0 as decimal(18, 6))) as attributed_net_usd
    from revenues
    full outer join {{ ref('int_writers_aggregated_to_segments') }} as writers
        on revenues.activity_date = writers.activity_date
        and revenues.segment_dimension = writers.segment_dimension
        and revenues.segment_value = writers.segment_value

)

select
    activity_date,
    segment_dimension,
    segment_value,
    'messages_before_v1' as rule_version,

    writer_count,
    attributed_net_usd,
    {{ safe_divide('attributed_net_usd', 'writer_count') }} as attributed_arpu,

    {{ is_final('activity_date') }} as is_final
from joined
