select
    person_id,
    role,
    country,
    platform,
    language,
    acquisition_channel,
    signed_up_at,
    is_anonymous,
    is_registered,
    is_internal,
    is_excluded,
    exclusion_reason
from {{ ref('int_persons_described') }}
