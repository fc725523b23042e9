-- A score of a day that is going on, or of days without a whole window behind them, would be a low score.
{% for name in ['fct_bot_indicators', 'fct_bot_scores', 'fct_bot_ranks', 'fct_bot_alerts'] -%}
select
    '{{ name }}' as model_name,
    score_date
from {{ ref(name) }}
cross join (select min(calendar_date) as first_date from {{ ref('int_dates_spined') }}) as calendar
where score_date > {{ as_of_date() }}
    or score_date <= {{ add_days(as_of_date(), -(number_var('bot_score_history_days') | int)) }}
    or score_date < {{ add_days('first_date', (number_var('trailing_window_days') | int) - 1) }}
{{ 'union all' if not loop.last }}
{% endfor %}
