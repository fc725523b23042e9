-- An event name that the list lacks would count as inactive, one that the contract lacks would never count:
-- both without a word.
with

contract_events as (

    {% for name in event_names() -%}
    select '{{ name }}' as event_name
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    coalesce(listed.event_name, contract_events.event_name) as event_name,
    case when listed.event_name is null then 'missing in active_events' else 'unknown to the contract' end as problem
from {{ ref('active_events') }} as listed
full outer join contract_events on listed.event_name = contract_events.event_name
where listed.event_name is null or contract_events.event_name is null
