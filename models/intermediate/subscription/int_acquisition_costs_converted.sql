-- Spend of a channel on a day in US dollars, at the rate of that day.
select
    costs.activity_date,
    costs.acquisition_channel,
    costs.currency,
    costs.spend_amount,
    cast(cast(costs.spend_amount as decimal(19, 6)) * rates.usd_per_unit as decimal(18, 6)) as spend_usd
from {{ ref('stg_billing__acquisition_costs') }} as costs
left join {{ ref('int_exchange_rates_dated') }} as rates
    on costs.currency = rates.currency
    and costs.activity_date between rates.valid_from_date and rates.valid_to_date
where costs.activity_date <= {{ as_of_date() }}
