{{ config(materialized='table') }}
{%- set window = number_var('creator_window_days') | int -%}
{%- set counted = [
    'posts', 'impressions', 'views', 'unique_viewers', 'likes', 'comments', 'shares', 'recommended_impressions',
    'product_views', 'carts', 'checkouts_started', 'checkouts_completed', 'orders',
] -%}
-- Days summed to the pieces between two ends of any window: every piece lies in a window whole or not at all, and
-- there are far fewer pieces than days and weeks.
with

days as (

    select * from {{ ref('stg_creators__creator_days') }}

),

weeks as (

    select * from {{ ref('int_creator_weeks_spined') }}

),

ends as (

    select week_end_date as end_date
    from weeks
    union
    select {{ add_days('week_end_date', -window) }}
    from weeks
    union
    select {{ add_days('week_end_date', -2 * window) }}
    from weeks

),

dates as (

    select
        dates.activity_date,
        min(ends.end_date) as piece_end_date
    from (select distinct activity_date from days) as dates
    inner join ends on dates.activity_date <= ends.end_date
    group by dates.activity_date

)

select
    days.creator_id,
    dates.piece_end_date,
    min(days.activity_date) as first_date,
    max(days.activity_date) as last_date,
    cast(count(*) as bigint) as observed_days,
    {%- for name in counted %}
    cast(sum(days.{{ name }}) as bigint) as {{ name }},
    {%- endfor %}
    cast(sum(days.watch_seconds) as decimal(38, 3)) as watch_seconds,
    cast(sum(days.video_seconds) as decimal(38, 3)) as video_seconds,
    cast(sum(days.revenue_usd) as decimal(38, 6)) as revenue_usd,
    cast(sum(days.spend_usd) as decimal(38, 6)) as spend_usd
from days
inner join dates on days.activity_date = dates.activity_date
group by days.creator_id, dates.piece_end_date
