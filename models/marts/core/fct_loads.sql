select
    table_name,
    load_id,
    line_count,
    accepted_count,
    duplicate_count,
    rejected_count,
    quarantined_count
from {{ ref('int_loads_reconciled') }}
