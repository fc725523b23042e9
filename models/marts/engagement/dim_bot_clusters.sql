with

features as (

    select * from {{ ref('int_bot_features_gathered') }}

),

clusters as (

    select * from {{ ref('py_bot_clusters') }}

),

bots as (

    select * from {{ ref('int_bots_versioned') }}
    where {{ as_of_date() }} between valid_from_date and valid_to_date

)

select
    features.bot_id,
    {{ as_of_date() }} as as_of_date,

    bots.workflow,
    bots.creator_id,
    bots.model_version,
    bots.is_ai_generated,

    features.impression_count,
    features.view_count,
    features.chatting_person_count as chatting_user_count,
    features.click_through as trailing_click_through_rate,
    features.chat_start as trailing_chat_start_rate,
    features.depth_per_user_day as trailing_depth_per_user_day,
    features.depth_per_user as trailing_depth_per_user,
    features.stickiness as trailing_stickiness_rate,

    clusters.cluster_number,
    cast(clusters.cluster_number as string) || ' of ' || cast(clusters.cluster_count as string) as cluster_name,
    clusters.cluster_count,
    clusters.silhouette,
    clusters.mean_silhouette,
    clusters.stability,
    clusters.cluster_reason
from features
inner join clusters on features.bot_id = clusters.bot_id
inner join bots on features.bot_id = bots.bot_id
