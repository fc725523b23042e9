-- Scenarios that only let more people join lie nowhere below the forecast.
with

growing as (

    select scenario
    from {{ ref('growth_scenarios') }}
    group by scenario
    having min(case when lever = 'acquisition' and factor >= 1 then 1 else 0 end) = 1

)

select
    scenarios.scenario,
    scenarios.metric,
    scenarios.target_date,
    scenarios.p50,
    scenarios.forecast_p50
from {{ ref('fct_scenarios') }} as scenarios
inner join growing on scenarios.scenario = growing.scenario
where scenarios.p50 < scenarios.forecast_p50 or scenarios.structural_value < scenarios.base_structural_value
