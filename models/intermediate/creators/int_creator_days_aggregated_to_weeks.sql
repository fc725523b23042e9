{{ config(materialized='table') }}
{%- set window = number_var('creator_window_days') | int -%}
{%- set counted = [
    'posts', 'impressions', 'views', 'unique_viewers', 'likes', 'comments', 'shares', 'recommended_impressions',
    'product_views', 'carts', 'checkouts_started', 'checkouts_completed', 'orders',
] -%}
{%- set measured = ['watch_seconds', 'video_seconds', 'revenue_usd', 'spend_usd'] -%}
-- Sums over the trailing window of every week end, and over the window before it.
with

days as (

    select * from {{ ref('stg_creators__creator_days') }}

),

weeks as (

    select * from {{ ref('int_creator_weeks_spined') }}

),

pieces as (

    select * from {{ ref('int_creator_days_aggregated_to_pieces') }}

),

placed as (

    select
        weeks.week_end_date,
        pieces.*,
        pieces.piece_end_date > {{ add_days('weeks.week_end_date', -window) }} as is_recent
    from pieces
    inner join weeks
        on pieces.piece_end_date <= weeks.week_end_date
        and pieces.piece_end_date > {{ add_days('weeks.week_end_date', -2 * window) }}

),

summed as (

    select
        creator_id,
        week_end_date,
        sum(case when is_recent then observed_days else 0 end) as observed_days,
        min(case when is_recent then first_date end) as first_observed_date,
        max(case when is_recent then last_date end) as last_observed_date,
        {%- for name in counted + measured %}
        sum(case when is_recent then {{ name }} else 0 end) as {{ name }},
        {%- endfor %}
        sum(case when is_recent then 0 else likes + comments + shares end) as prior_interactions,
        sum(case when is_recent then 0 else views end) as prior_views
    from placed
    group by creator_id, week_end_date

),

-- Growth needs the whole window that it is measured against: a creator of three weeks has not grown, but begun.
begun as (

    select
        creator_id,
        min(first_date) as begun_date
    from pieces
    group by creator_id

)

select
    summed.creator_id,
    summed.week_end_date,
    summed.last_observed_date,
    begun.begun_date <= {{ add_days('summed.week_end_date', -(window - 1)) }} as has_whole_window,
    begun.begun_date <= {{ add_days('summed.week_end_date', -(2 * window - 1)) }} as has_prior_window,

    cast(summed.observed_days as bigint) as observed_day_count,
    {%- for name in counted %}
    cast(summed.{{ name }} as bigint) as {{ name }},
    {%- endfor %}
    cast(summed.prior_interactions as bigint) as prior_interactions,
    cast(summed.prior_views as bigint) as prior_views,
    earliest.followers as first_followers,
    latest.followers as last_followers,

    cast(summed.watch_seconds as decimal(38, 3)) as watch_seconds,
    cast(summed.video_seconds as decimal(38, 3)) as video_seconds,
    cast(summed.revenue_usd as decimal(38, 6)) as revenue_usd,
    cast(summed.spend_usd as decimal(38, 6)) as spend_usd
from summed
inner join begun on summed.creator_id = begun.creator_id
left join days as earliest
    on summed.creator_id = earliest.creator_id
    and summed.first_observed_date = earliest.activity_date
left join days as latest
    on summed.creator_id = latest.creator_id
    and summed.last_observed_date = latest.activity_date
