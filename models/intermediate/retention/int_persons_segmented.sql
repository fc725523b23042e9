-- Long form: one formula serves the total and every segment.
{% for dimension in ['all'] + person_segments() -%}
select
    person_key,
    first_active_date,
    last_active_date,
    '{{ dimension }}' as segment_dimension,
    {{ "'all'" if dimension == 'all' else dimension }} as segment_value
from {{ ref('int_persons_cohorted') }}
{{ 'union all' if not loop.last }}
{% endfor %}
