{{ config(materialized='table') }}

-- Each version is compared with one base all its life: with what other versions did for the same features before
-- it came, else with its own first days. Only another version is another base.
with

days as (

    select * from {{ ref('int_quality_days_measured') }}

),

versions as (

    select
        metric,
        model_version,
        min(answered_date) as first_date
    from days
    group by metric, model_version

),

features as (

    select distinct
        days.metric,
        days.model_version,
        days.feature,
        versions.first_date
    from days
    inner join versions
        on days.metric = versions.metric
        and days.model_version = versions.model_version
        and days.answered_date = versions.first_date

),

summed as (

    select
        features.metric,
        features.model_version,
        cast(sum(days.answer_count) as bigint) as base_answer_count,
        cast(sum(days.figure_sum) as bigint) as base_sum,
        cast(sum(days.figure_square_sum) as bigint) as base_square_sum
    from features
    inner join days
        on features.metric = days.metric
        and features.feature = days.feature
        and features.model_version <> days.model_version
        and features.first_date > days.answered_date
        and days.answered_date >= {{ add_days('features.first_date', '-' ~ number_var('trailing_window_days')) }}
    group by features.metric, features.model_version

),

earlier as (

    select * from summed
    where {{ is_enough_for_a_base() }}

),

own as (

    select * from {{ ref('int_quality_bases_grown') }}

),

bases as (

    select
        versions.metric,
        versions.model_version,
        case when earlier.metric is not null then 'earlier_versions' else 'own_first_days' end as base_kind,
        case
            when earlier.metric is not null then versions.first_date
            else {{ add_days('own.base_end_date', 1) }}
        end as charted_from_date,
        coalesce(earlier.base_answer_count, own.base_answer_count) as base_answer_count,
        coalesce(earlier.base_sum, own.base_sum) as base_sum,
        coalesce(earlier.base_square_sum, own.base_square_sum) as base_square_sum
    from versions
    left join earlier on versions.metric = earlier.metric and versions.model_version = earlier.model_version
    left join own on versions.metric = own.metric and versions.model_version = own.model_version

)

select
    metric,
    model_version,
    base_kind,
    charted_from_date,
    base_answer_count,
    base_sum,
    base_square_sum
from bases
where base_answer_count is not null
