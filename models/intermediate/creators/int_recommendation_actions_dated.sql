select
    action_id,
    creator_id,
    recommendation_id,
    implemented_on
from {{ ref('stg_creators__recommendation_actions') }}
where implemented_on <= {{ as_of_date() }}
