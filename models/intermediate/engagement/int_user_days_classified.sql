-- The one place that says which user-days are active, which are machines, and who is no customer.
with

user_days as (

    select * from {{ ref('int_events_aggregated_to_user_days') }}

),

weights as (

    select * from {{ ref('int_active_events_pivoted') }}

),

-- Few people are excluded; the others need no look-up.
excluded as (

    select person_key
    from {{ ref('int_persons_described') }}
    where is_excluded

),

judged as (

    select
        user_days.*,
        {% for name in event_names() -%}
        user_days.{{ name }}_count * weights.{{ name }}_weight{{ ' + ' if not loop.last }}
        {%- endfor %} as active_event_count,
        excluded.person_key is not null as is_excluded,
        (
            {{ number_var('automation_messages_per_minute') }} > 0
            and coalesce(user_days.busiest_minute_message_count, 0)
            > {{ number_var('automation_messages_per_minute') }}
        )
        or (
            {{ number_var('automation_events_per_day') }} > 0
            and user_days.event_count > {{ number_var('automation_events_per_day') }}
        ) as is_automated
    from user_days
    cross join weights
    left join excluded on user_days.person_key = excluded.person_key
    where user_days.event_date <= {{ as_of_date() }}

)

select
    person_key,
    event_date,
    event_count,
    active_event_count,
    {%- for name in event_names() %}
    {{ name }}_count,
    {%- endfor %}
    unknown_event_count,
    {%- for method in event_methods() %}
    {{ method }}_message_count,
    {%- endfor %}
    new_message_count,
    {%- for feature in event_features() %}
    {{ feature }}_use_count,
    {%- endfor %}
    first_context_key,
    engaged_ms,
    ad_revenue_micros,
    active_event_count > 0 as is_active,
    is_automated,
    is_excluded,
    not is_automated and not is_excluded as is_human
from judged
