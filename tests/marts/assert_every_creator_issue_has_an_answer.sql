-- An issue names an entry of the catalogue that exists; a creator who is advised nothing has no issue, or is held
-- back by the confidence that is asked for.
select
    creator_id,
    week_end_date,
    kpi,
    component
from {{ ref('fct_creator_issues') }}
where action is null or action_title is null
