-- Keys are engine hashes; Python sorts by the person's id, which every engine sorts alike.
select
    persons.person_id,
    features.active_days,
    features.recency_days,
    features.new_message_count,
    features.feature_use_count,
    features.session_ms
from {{ ref('int_person_features_counted') }} as features
inner join {{ ref('int_persons_described') }} as persons on features.person_key = persons.person_key
