-- Flat education log -> experiment_exposures. One row per user and group: the first time it was logged.
-- A user logged in two groups keeps both rows: which one counts is for the experiment to decide, not for a mapping.
-- Columns have the names that their owners gave them.
-- noqa: disable=RF04
with

-- Put your table here: select * from <database>.<schema>.<education log>.
source_rows as (

    select
        cast(null as string) as user_id,
        cast(null as string) as session_id,
        cast(null as timestamp) as event_time,
        cast(null as string) as feature_used,
        cast(null as double) as engagement_time,
        cast(null as boolean) as is_teacher,
        cast(null as string) as experiment_group,
        cast(null as double) as llm_rating,
        cast(null as boolean) as retained_7d,
        cast(null as boolean) as retained_30d,
        cast(null as string) as subscription
    where 1 = 0

),

grouped as (

    select
        user_id,
        experiment_group,
        min(event_time) as exposed_at
    from source_rows
    where user_id is not null and trim(experiment_group) <> ''
    group by user_id, experiment_group

)

select
    -- The log names groups but no experiment: name yours as in the table experiments, or every exposure is
    -- quarantined as belonging to no phase.
    'education_log' as experiment_id,
    experiment_group as variation_id,
    user_id as unit_id,
    exposed_at,
    exposed_at as ingested_at
from grouped
