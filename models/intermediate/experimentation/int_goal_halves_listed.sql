-- Matured goals by stratum and random half: what an order of strata by effect is found and tried on.
select *
from {{ ref('int_experiment_cells_paired') }}
where segment_key = 'half' and cohort = 'matured' and role = 'goal' and kind <> 'quantile'
