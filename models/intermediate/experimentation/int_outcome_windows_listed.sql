{%- set history = number_var('experiment_history_days') -%}
{%- set ages = number_var('experiment_age_days') | int -%}
-- Windows of days around an exposure in which anything is measured: those of metrics and triggers, the days before,
-- and each of the first days alone.
select distinct
    delay_days,
    window_days
from {{ ref('experiment_metrics') }}
union
select distinct
    0 as delay_days,
    window_days
from {{ ref('experiment_triggers') }}
union
select
    -{{ history }} as delay_days,
    {{ history }} as window_days
{%- for age in range(ages) %}
union
select
    {{ age }} as delay_days,
    1 as window_days
{%- endfor %}
