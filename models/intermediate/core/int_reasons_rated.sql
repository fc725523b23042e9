-- What each reason takes of a load, of a day and of a file: a bad producer or a bad day shows here before
-- it shows as a low number.
with

landed as (

    select
        table_name,
        cast(load_key as string) as load_name,
        cast(landed_date as string) as day_name,
        quarantine_reason as reason,
        verdict,
        row_count
    from {{ ref('int_landed_rows_counted') }}

),

load_totals as (

    select table_name, load_name, sum(row_count) as row_count
    from landed
    group by table_name, load_name

),

day_totals as (

    select table_name, day_name, sum(row_count) as row_count
    from landed
    group by table_name, day_name

),

quarantined_loads as (

    select
        table_name,
        load_name,
        reason,
        sum(row_count) as bad_row_count
    from landed
    where verdict = 'quarantined'
    group by table_name, load_name, reason

),

-- A row whose time is missing or impossible belongs to no day: alone on its day it would be all of it.
quarantined_days as (

    select
        table_name,
        day_name,
        reason,
        sum(row_count) as bad_row_count
    from landed
    where verdict = 'quarantined'
        and table_name || ' ' || reason not in ({{ quoted_list(reasons_about_time()) }})
    group by table_name, day_name, reason

),

files as (

    select
        table_name,
        file_id,
        sum(line_count) as row_count
    from {{ ref('stg_landing__manifests') }}
    where status in ('ok', 'direct')
    group by table_name, file_id

),

rejected_lines as (

    select
        table_name,
        file_id,
        reason,
        count(*) as bad_row_count
    from {{ ref('stg_landing__rejects') }}
    group by table_name, file_id, reason

),

cells as (

    select
        bad.table_name,
        'load' as cell_kind,
        bad.load_name as cell_name,
        bad.reason,
        bad.bad_row_count,
        totals.row_count
    from quarantined_loads as bad
    inner join load_totals as totals on bad.table_name = totals.table_name and bad.load_name = totals.load_name
    union all
    select bad.table_name, 'day', bad.day_name, bad.reason, bad.bad_row_count, totals.row_count
    from quarantined_days as bad
    inner join day_totals as totals on bad.table_name = totals.table_name and bad.day_name = totals.day_name
    union all
    select bad.table_name, 'file', bad.file_id, bad.reason, bad.bad_row_count, files.row_count
    from rejected_lines as bad
    inner join files on bad.table_name = files.table_name and bad.file_id = files.file_id

)

select
    table_name,
    cell_kind,
    cell_name,
    reason,
    cast(bad_row_count as bigint) as bad_row_count,
    cast(row_count as bigint) as row_count,
    {{ safe_divide('bad_row_count', 'row_count') }} as bad_row_rate
from cells
