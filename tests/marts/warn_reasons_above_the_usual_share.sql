-- A warning, because the good rows are still right: someone should look before it grows into an error.
{{ config(severity='warn') }}
select
    table_name,
    cell_kind,
    cell_name,
    reason,
    bad_row_count,
    row_count,
    bad_row_rate
from {{ ref('int_reasons_rated') }}
where bad_row_count >= {{ number_var('reason_rate_min_rows') }}
    and bad_row_rate > {{ number_var('reason_rate_warn') }}
    and bad_row_rate <= {{ number_var('reason_rate_error') }}
