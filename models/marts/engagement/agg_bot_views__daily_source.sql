with

views as (

    select * from {{ ref('int_views_aggregated_to_sources') }}

),

bots as (

    select * from {{ ref('int_bots_versioned') }}

)

select
    bots.bot_id,
    views.event_date as activity_date,
    views.source,

    views.view_count,
    views.attributed_view_count,
    views.view_count - views.attributed_view_count as unattributed_view_count,

    {{ is_final('views.event_date') }} as is_final
from views
inner join bots on views.bot_key = bots.bot_key and bots.is_current
