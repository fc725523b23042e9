-- Country and platform are those of the first active day. Who entered and was never active has only an account,
-- and a device not even that: they stay in, so that the parts of every dimension add up to all.
with

entrants as (

    select
        steps.*,
        persons.role,
        persons.language,
        persons.acquisition_channel,
        coalesce(cohorts.country, persons.country) as country,
        coalesce(cohorts.platform, persons.platform) as platform
    from {{ ref('int_funnel_steps_reached') }} as steps
    inner join {{ ref('int_persons_described') }} as persons on steps.person_key = persons.person_key
    left join {{ ref('int_persons_cohorted') }} as cohorts on steps.person_key = cohorts.person_key

)

{% for dimension in ['all'] + person_segments() -%}
select
    funnel,
    window_days,
    step_number,
    step_name,
    '{{ dimension }}' as segment_dimension,
    {{ "'all'" if dimension == 'all' else dimension }} as segment_value,
    previous_at,
    reached_at,
    is_excluded
from entrants
{{ 'union all' if not loop.last }}
{% endfor %}
