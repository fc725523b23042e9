with

landed as (

    select
        table_name,
        load_key,
        max(load_id) as load_id,
        cast(sum(row_count) as bigint) as landed_row_count
    from {{ ref('stg_landing__cells') }}
    group by table_name, load_key

),

judged as (

    select
        table_name,
        load_key,
        cast(sum(case when verdict = 'accepted' then row_count else 0 end) as bigint) as accepted_count,
        cast(sum(case when verdict = 'duplicate' then row_count else 0 end) as bigint) as duplicate_count,
        cast(sum(case when verdict = 'quarantined' then row_count else 0 end) as bigint) as quarantined_count
    from {{ ref('int_landed_rows_counted') }}
    group by table_name, load_key

),

-- A file may be read again after a rule was mended: its lines stay, its accepted rows spread over loads.
files as (

    select
        table_name,
        load_id,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(accepted_count) as bigint) as parsed_count,
        cast(sum(rejected_count) as bigint) as rejected_count
    from {{ ref('stg_landing__manifests') }}
    where status in ('ok', 'direct')
    group by table_name, load_id

),

rejects as (

    select
        table_name,
        load_id,
        count(*) as reject_row_count
    from {{ ref('stg_landing__rejects') }}
    group by table_name, load_id

),

loads as (

    select table_name, load_id from landed
    union
    select table_name, load_id from files
    union
    select table_name, load_id from rejects

)

select
    loads.table_name,
    loads.load_id,
    coalesce(files.line_count, landed.landed_row_count, 0) as line_count,
    coalesce(files.parsed_count, landed.landed_row_count, 0) as parsed_count,
    coalesce(landed.landed_row_count, 0) as landed_row_count,
    coalesce(judged.accepted_count, 0) as accepted_count,
    coalesce(judged.duplicate_count, 0) as duplicate_count,
    coalesce(judged.quarantined_count, 0) as quarantined_count,
    coalesce(files.rejected_count, 0) as rejected_count,
    coalesce(rejects.reject_row_count, 0) as reject_row_count
from loads
left join landed on loads.table_name = landed.table_name and loads.load_id = landed.load_id
left join judged on landed.table_name = judged.table_name and landed.load_key = judged.load_key
left join files on loads.table_name = files.table_name and loads.load_id = files.load_id
left join rejects on loads.table_name = rejects.table_name and loads.load_id = rejects.load_id
