-- The cohort convolution that a scenario divides by is the one inside the forecast.
select
    scenarios.scenario,
    scenarios.metric,
    scenarios.target_date,
    scenarios.base_structural_value,
    forecasts.structural_value
from {{ ref('fct_scenarios') }} as scenarios
inner join {{ ref('fct_forecasts') }} as forecasts
    on scenarios.metric = forecasts.metric and scenarios.target_date = forecasts.target_date
where abs(scenarios.base_structural_value - forecasts.structural_value) > 0.000001 * (1 + forecasts.structural_value)
