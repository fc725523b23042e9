-- One row: the weight (0 or 1) of each event name in "active", so that no fact is rebuilt when it changes.
select
    {% for name in event_names() -%}
    max(case when event_name = '{{ name }}' and is_active then 1 else 0 end) as {{ name }}_weight,
    {% endfor -%}
    count(*) as listed_event_count
from {{ ref('active_events') }}
