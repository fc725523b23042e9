select
    creator_id,
    week_end_date,
    field as input_field,

    input_value as measured_value,
    cast(min_value as decimal(38, 6)) as lowest_possible,
    cast(max_value as decimal(38, 6)) as highest_possible,

    week_end_date = {{ as_of_date() }} as is_latest,

    reference_version
from {{ ref('py_creator_rejections') }}
