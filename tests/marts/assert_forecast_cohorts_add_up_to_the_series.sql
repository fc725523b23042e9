-- Who is behind a series, summed over everybody who joined, is the series of every day.
with

totals as (

    select
        metric,
        step_date,
        sum(sum(step_value)) over (
            partition by metric order by step_date asc nulls last
            rows between unbounded preceding and current row
        ) as total_value,
        coalesce(
            lead(step_date) over (partition by metric order by step_date asc nulls last),
            {{ add_days(as_of_date(), 1) }}
        ) as next_date
    from {{ ref('int_series_cohorts_stepped') }}
    where metric <> 'new_payers'
    group by metric, step_date

)

select
    series.metric,
    series.series_date,
    series.series_value,
    totals.total_value
from {{ ref('int_series_collected') }} as series
left join totals
    on series.metric = totals.metric
    and series.series_date >= totals.step_date
    and series.series_date < totals.next_date
where series.metric <> 'new_users' and series.series_value <> coalesce(totals.total_value, 0)
