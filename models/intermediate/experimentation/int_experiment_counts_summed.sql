{%- set powers = ['y', 'yy', 'yyy', 'k', 'kk', 'kkk'] -%}
-- Counts as the sums that results are computed from: a success is 1 to every power, and what was used before the
-- exposure was not counted. Days past the last complete one wait.
select
    experiment_id,
    phase,
    variation_id,
    metric,
    matured_date,
    'all' as segment_key,
    'all' as segment_value,
    cast(sum(unit_count) as bigint) as unit_count,
    cast(sum(success_count) as bigint) as nonzero_count,
    cast(0 as bigint) as before_count,
    {%- for term in statistic_terms() %}
    cast({{ 'sum(success_count)' if term in powers else '0' }} as decimal(38, 0)) as sum_{{ term }},
    {%- endfor %}
    cast(max(case when success_count > 0 then 1 else 0 end) as bigint) as max_value
from {{ ref('int_experiment_counts_placed') }}
where quarantine_reason = 'none' and exposure_date <= {{ as_of_date() }} and unit_count > 0
group by experiment_id, phase, variation_id, metric, matured_date
