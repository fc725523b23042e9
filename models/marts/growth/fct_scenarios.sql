select
    scenarios.scenario,
    scenarios.metric,
    scenarios.origin_date,
    scenarios.target_date,
    scenarios.horizon_days,

    cast(scenarios.p10 as decimal(18, 6)) as p10,
    cast(scenarios.p50 as decimal(18, 6)) as p50,
    cast(scenarios.p90 as decimal(18, 6)) as p90,
    forecasts.p50 as forecast_p50,
    cast(cast(scenarios.p50 as decimal(18, 6)) - forecasts.p50 as decimal(18, 6)) as p50_change,
    cast(scenarios.structural_value as decimal(18, 6)) as structural_value,
    cast(scenarios.base_structural_value as decimal(18, 6)) as base_structural_value,
    scenarios.missing_reason
from {{ ref('py_scenarios') }} as scenarios
inner join {{ ref('fct_forecasts') }} as forecasts
    on scenarios.metric = forecasts.metric and scenarios.target_date = forecasts.target_date
