select
    assessment_id,
    creator_id,
    assessed_at,
    attribute,
    score,
    assessor,
    ingested_at,
    load_id,
    landed_date
from {{ ref('stg_creators__assessments__judged') }}
where verdict = 'accepted'
