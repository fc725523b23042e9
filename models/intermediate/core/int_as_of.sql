{{ config(materialized='table') }}
{%- set given = env_var('PLUMBLINE_AS_OF', '') -%}
{%- if given and not modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', given) -%}
    {{ exceptions.raise_compiler_error("PLUMBLINE_AS_OF must be a date like 2026-01-31, found: " ~ given) }}
{%- endif -%}
with

-- Streams of things that happened. Tables a batch job rewrites (users, scores) carry the job's clock.
streams as (

    select
        min(case when landed_date > cast('1900-01-01' as date) then landed_date end) as first_landed_date,
        max(latest_at) as latest_at
    from {{ ref('int_landed_rows_counted') }}
    where verdict = 'accepted' and table_name in ({{ quoted_list(daily_tables()) }})

)

select
    -- One day of slack: a zone west of UTC dates the first events a day earlier.
    {{ add_days('first_landed_date', -1) }} as first_possible_date,
    {{ reporting_date('latest_at') }} as latest_event_date,
    {% if given -%}
    cast('{{ given }}' as date) as as_of_date
    {%- else -%}
    -- The last day of the data is still going on; the day before it is complete.
    {{ add_days(reporting_date('latest_at'), -1) }} as as_of_date
    {%- endif %}
from streams
