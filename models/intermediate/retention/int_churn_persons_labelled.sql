{{ config(materialized='table') }}
{%- set horizon = number_var('churn_days') | int %}

-- Who was active in the horizon up to the snapshot, and whether the horizon after it was silent. The end of the
-- latter lies in the future for the snapshot that is scored: its outcome is unknown.
with

around as (

    select
        days.person_key,
        snapshots.snapshot_date,
        snapshots.purpose,
        days.activity_date
    from {{ ref('int_active_days_spined') }} as days
    inner join {{ ref('int_churn_snapshots_dated') }} as snapshots
        on days.activity_date > {{ add_days('snapshots.snapshot_date', -horizon) }}
        and days.activity_date <= {{ add_days('snapshots.snapshot_date', horizon) }}

)

select
    person_key,
    snapshot_date,
    purpose,
    case when purpose <> 'score' then max(activity_date) <= snapshot_date end as is_churned
from around
group by person_key, snapshot_date, purpose
having min(activity_date) <= snapshot_date
