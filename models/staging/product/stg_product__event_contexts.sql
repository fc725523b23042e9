{{ config(
    materialized='incremental',
    unique_key='landed_date',
    pre_hook="{{ drop_vanished_days('landed_date', 'select landed_date from (' ~ raw_cells('events') ~ ') as cells') }}"
) }}
{%- set touched = touched_term_days() -%}
-- Six texts of few values cost more to write than all numbers of an event together: they stand here once.
select
    context_key,
    feature,
    method,
    source,
    platform,
    country,
    app_version,
    load_key,
    count(*) as row_count,
    landed_date
from {{ ref('stg_product__events__typed') }}
where {{ only_touched(touched) }}
group by
    context_key,
    feature,
    method,
    source,
    platform,
    country,
    app_version,
    load_key,
    landed_date
