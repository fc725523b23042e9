select
    file_id,
    load_id,
    path,
    table_name,
    format,
    byte_count,
    line_count,
    accepted_count,
    rejected_count,
    status,
    reason,
    first_seen_at
from {{ raw('landing_manifest') }}
