-- A person on both sides would be compared with themselves.
select
    comparison,
    person_key,
    count(*) as side_count
from {{ ref('int_group_members_listed') }}
group by comparison, person_key
having count(*) > 1
