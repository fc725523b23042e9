{{ config(materialized='table') }}
with

features as (

    select
        *,
        active_days > 0 as is_present
    from {{ ref('int_person_features_counted') }}

),

-- A person's place is the middle of those who are equal, so that equals get one score and the fifths stay fifths.
ranked as (

    select
        *,
        count(*) over () as person_count,
        rank() over (order by recency_days desc nulls last) as recency_rank,
        count(*) over (partition by recency_days) as recency_tie_count,
        count(*) over (partition by is_present) as present_count,
        rank() over (partition by is_present order by active_days asc nulls last) as frequency_rank,
        count(*) over (partition by is_present, active_days) as frequency_tie_count,
        rank() over (partition by is_present order by session_ms asc nulls last) as engagement_rank,
        count(*) over (partition by is_present, session_ms) as engagement_tie_count
    from features

),

staged as (

    select
        features.person_key,
        {{ first_by('lifecycle.lifecycle_stage', ['lifecycle.stage_rank']) }} as lifecycle_stage
    from features
    inner join {{ ref('lifecycle_stages') }} as lifecycle
        on features.age_days between lifecycle.age_days_from and lifecycle.age_days_to
        and features.recency_days between lifecycle.recency_days_from and lifecycle.recency_days_to
        and features.active_days between lifecycle.active_days_from and lifecycle.active_days_to
        and features.gap_days between lifecycle.gap_days_from and lifecycle.gap_days_to
    group by features.person_key

)

select
    ranked.person_key,
    staged.lifecycle_stage,
    {%- for name in ['frequency', 'engagement'] %}
    -- Who was not there has the lowest score; the others are compared with each other.
    case
        when not ranked.is_present then cast(1 as bigint)
        else cast(ceil({{ safe_divide(
            '5 * (2 * ranked.' ~ name ~ '_rank + ranked.' ~ name ~ '_tie_count - 1)', '2 * ranked.present_count'
        ) }}) as bigint)
    end as {{ name }}_score,
    {%- endfor %}
    cast(ceil({{ safe_divide(
        '5 * (2 * ranked.recency_rank + ranked.recency_tie_count - 1)', '2 * ranked.person_count'
    ) }}) as bigint) as recency_score
from ranked
left join staged on ranked.person_key = staged.person_key
