with

features as (

    select * from {{ ref('int_person_features_counted') }}

),

scores as (

    select * from {{ ref('int_person_features_scored') }}

),

persons as (

    select * from {{ ref('int_persons_described') }}

),

clusters as (

    select * from {{ ref('py_person_clusters') }}

)

select
    persons.person_id,
    {{ as_of_date() }} as as_of_date,

    scores.lifecycle_stage,
    scores.recency_score,
    scores.frequency_score,
    scores.engagement_score,

    features.first_active_date,
    features.last_active_date,
    features.age_days,
    features.recency_days,
    features.gap_days,
    features.active_days,
    features.session_count,
    features.session_ms,
    features.new_message_count,
    features.feature_use_count,

    clusters.cluster_number,
    cast(clusters.cluster_number as string) || ' of ' || cast(clusters.cluster_count as string) as cluster_name,
    clusters.cluster_count,
    clusters.silhouette,
    clusters.mean_silhouette,
    clusters.stability,
    clusters.cluster_reason
from features
inner join scores on features.person_key = scores.person_key
inner join persons on features.person_key = persons.person_key
inner join clusters on persons.person_id = clusters.person_id
