select
    file_id,
    load_id,
    path,
    table_name,
    line_number,
    reason,
    payload,
    payload_encoding,
    rejected_at
from {{ raw('landing_rejects') }}
