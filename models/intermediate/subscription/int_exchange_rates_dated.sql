-- A rate holds until the next one of its currency.
select
    currency,
    valid_from_date,
    coalesce(
        {{ add_days(
            'lead(valid_from_date) over (partition by currency order by valid_from_date asc nulls last)', -1
        ) }},
        cast('9999-12-31' as date)
    ) as valid_to_date,
    usd_per_unit
from {{ ref('exchange_rates') }}
