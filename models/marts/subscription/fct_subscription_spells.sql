select
    spells.subscription_id,
    spells.spell_number,
    persons.person_id,

    spells.plan_id,
    spells.store,
    spells.state,
    spells.begin_reason,
    spells.end_reason,

    spells.is_trial,
    spells.is_returning,

    spells.started_at,
    spells.ended_at,
    spells.started_date,
    spells.ended_date
from {{ ref('int_subscription_spells') }} as spells
inner join {{ ref('int_persons_described') }} as persons on spells.person_key = persons.person_key
