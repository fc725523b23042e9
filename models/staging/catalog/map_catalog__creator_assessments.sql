-- Rename here: the left side of each cast is your column, the right side the contract's.
select
    cast(assessment_id as string) as assessment_id,
    cast(creator_id as string) as creator_id,
    cast(assessed_at as timestamp) as assessed_at,
    cast(attribute as string) as attribute,
    cast(score as decimal(9,6)) as score,
    cast(assessor as string) as assessor,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('creator_assessments') }}
