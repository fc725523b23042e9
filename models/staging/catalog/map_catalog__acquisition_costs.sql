-- Rename here: the left side of each cast is your column, the right side the contract's.
select
    cast(activity_date as date) as activity_date,
    cast(acquisition_channel as string) as acquisition_channel,
    cast(spend_amount as decimal(18,6)) as spend_amount,
    cast(currency as string) as currency,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('acquisition_costs') }}
