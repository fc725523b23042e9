select
    subject,
    segment_value,

    count(*) as forecast_count,
    count(expected_kept_people) as fitted_forecast_count,
    cast(sum(case when expected_kept_people is not null then kept_count end) as bigint) as kept_count,
    cast(sum(expected_kept_people) as decimal(28, 6)) as expected_kept_people,
    {{ safe_divide(
        'sum(expected_kept_people)', 'sum(case when expected_kept_people is not null then kept_count end)'
    ) }} as expected_to_kept_ratio,
    count(case when is_covered_80 then 1 end) as covered_80_count,
    count(case when is_covered_95 then 1 end) as covered_95_count,
    {{ safe_divide('count(case when is_covered_80 then 1 end)', 'count(expected_kept_people)') }}
        as retention_coverage_80_rate,
    {{ safe_divide('count(case when is_covered_95 then 1 end)', 'count(expected_kept_people)') }}
        as retention_coverage_95_rate
from {{ ref('fct_retention_forecast_backtests') }}
group by subject, segment_value
