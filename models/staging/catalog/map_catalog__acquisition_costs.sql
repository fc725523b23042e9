-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('acquisition_costs', mapped=['activity_date']); all others must be there in a fitting type.
select
    cast(activity_date as date) as activity_date,
    cast(acquisition_channel as string) as acquisition_channel,
    cast(spend_amount as decimal(18,6)) as spend_amount,
    cast(currency as string) as currency,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('acquisition_costs') }}
