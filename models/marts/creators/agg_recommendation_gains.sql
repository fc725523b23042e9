with

gains as (

    select * from {{ ref('py_recommendation_gains') }}

)

select
    week_end_date,
    action,

    action_count as measured_creator_count,
    control_count as control_creator_count,
    cast(catalogue_gain as decimal(9, 6)) as catalogue_gain,
    measured_gain,
    measured_gain_error,
    measured_gain_low,
    measured_gain_high,
    expected_gain,
    measured_share,
    catalogue_grade,
    evidence_grade,

    evidence_grade <> catalogue_grade as is_regraded,
    week_end_date = {{ as_of_date() }} as is_latest,

    reference_version
from gains
