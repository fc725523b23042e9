{{ config(materialized='table') }}

-- The dictionary has one row per day and load; the meaning of a key is the same in all of them.
select
    context_key,
    coalesce(max(source), 'unknown') as source,
    coalesce(max(platform), 'unknown') as platform,
    coalesce(max(country), 'unknown') as country,
    coalesce(max(app_version), 'unknown') as app_version
from {{ ref('stg_product__event_contexts') }}
group by context_key
