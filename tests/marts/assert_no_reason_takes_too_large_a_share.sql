-- A producer that sends one bad row in twenty is broken: publishing would turn its fault into a low number.
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
    and bad_row_rate > {{ number_var('reason_rate_error') }}
    -- An exposure may come before the registry of its experiment: the row is not wrong, it waits.
    and reason <> 'no_phase'
