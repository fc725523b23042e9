-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('creator_assessments', mapped=['assessment_id']); all others must be there in a fitting type.
select
    cast(assessment_id as string) as assessment_id,
    cast(creator_id as string) as creator_id,
    cast(assessed_at as timestamp) as assessed_at,
    cast(attribute as string) as attribute,
    cast(score as decimal(9,6)) as score,
    cast(assessor as string) as assessor,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('creator_assessments') }}
