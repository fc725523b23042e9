select
    calendar_date as date_day,
    cast({{ dbt.date_trunc('week', 'calendar_date') }} as date) as week_start_date,
    cast({{ dbt.date_trunc('month', 'calendar_date') }} as date) as month_start_date,
    cast({{ iso_day_of_week('calendar_date') }} as int) as iso_day_of_week,
    {{ iso_day_of_week('calendar_date') }} >= 6 as is_weekend,
    {{ is_final('calendar_date') }} as is_final
from {{ ref('int_dates_spined') }}
