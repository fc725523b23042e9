-- Spend of a channel on a day in US dollars, at the rate of that day.
select
    spends.activity_date,
    spends.acquisition_channel,
    spends.currency,
    spends.spend_amount,
    cast(cast(spends.spend_amount as decimal(19, 6)) * rates.usd_per_unit as decimal(18, 6)) as spend_usd
from {{ ref('stg_billing__acquisition_costs') }} as spends
left join {{ ref('int_exchange_rates_dated') }} as rates
    on spends.currency = rates.currency
    and spends.activity_date between rates.valid_from_date and rates.valid_to_date
where spends.activity_date <= {{ as_of_date() }}
