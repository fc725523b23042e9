select
    persons.person_id,
    months.month_start_date,
    months.balance_date,

    months.movement,
    months.churn_reason,

    months.opening_usd,
    months.closing_usd,

    {{ add_days('months.balance_date', 1) }}
    = cast({{ dbt.date_trunc('month', add_days('months.balance_date', 1)) }} as date) as is_complete_month
from {{ ref('int_account_months') }} as months
inner join {{ ref('int_persons_described') }} as persons on months.person_key = persons.person_key
