-- Inside each cast stands your column, after it the contract's. A column that you rename,
-- convert or lack (then write null) has to be named below, as in
-- catalog_table('users', mapped=['country']); all others must be there in a fitting type.
select
    cast(user_id as string) as user_id,
    cast(updated_at as timestamp) as updated_at,
    cast(signed_up_at as timestamp) as signed_up_at,
    cast(role as string) as role,
    cast(country as string) as country,
    cast(platform as string) as platform,
    cast(language as string) as language,
    cast(acquisition_channel as string) as acquisition_channel,
    cast(is_internal as boolean) as is_internal,
    cast(ingested_at as timestamp) as ingested_at
from {{ catalog_table('users') }}
