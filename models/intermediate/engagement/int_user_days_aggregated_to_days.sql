{{ config(materialized='table') }}

-- Events of active people and how many of them did each: both from the same rows, so that doers are active users.
select
    event_date,
    {%- for name in event_names() %}
    cast(sum({{ name }}_count) as bigint) as {{ name }}_count,
    count(case when {{ name }}_count > 0 then 1 end) as {{ name }}_user_count,
    {%- endfor %}
    {%- for method in event_methods() %}
    cast(sum({{ method }}_message_count) as bigint) as {{ method }}_message_count,
    count(case when {{ method }}_message_count > 0 then 1 end) as {{ method }}_message_user_count,
    {%- endfor %}
    count(*) as active_user_count
from {{ ref('int_user_days_classified') }}
where is_active and is_human
group by event_date
