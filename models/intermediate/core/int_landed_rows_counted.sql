{{ config(materialized='table') }}

with

counted as (

    select * from {{ ref('int_product_rows_counted') }}
    union all
    select * from {{ ref('int_billing_rows_counted') }}
    union all
    select * from {{ ref('int_experiments_rows_counted') }}
    union all
    select * from {{ ref('int_llm_rows_counted') }}
    union all
    select * from {{ ref('int_creators_rows_counted') }}

)

select
    table_name,
    load_key,
    landed_date,
    verdict,
    quarantine_reason,
    row_count,
    latest_at
from counted
