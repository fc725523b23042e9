{{ config(materialized='table') }}
{%- set counts = [] -%}
{%- for name in event_names() -%}{%- do counts.append(name ~ '_count') -%}{%- endfor -%}
{%- for method in event_methods() -%}{%- do counts.append(method ~ '_message_count') -%}{%- endfor %}
-- Events of active people and how many of them did each: both from the same rows, so that doers are active users.
select
    event_date,
    count(*) as active_user_count,
    {%- for column in counts %}
    cast(sum({{ column }}) as bigint) as {{ column }},
    count(case when {{ column }} > 0 then 1 end) as {{ column | replace('_count', '_user_count') }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_user_days_classified') }}
where is_active and is_human
group by event_date
