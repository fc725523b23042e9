{{ config(
    materialized='incremental',
    unique_key='landed_date',
    pre_hook="{{ drop_vanished_days('landed_date', 'select landed_date from (' ~ raw_cells('events') ~ ') as cells') }}"
) }}
{%- set touched = touched_term_days() -%}
-- Keys travel through the warehouse; this is where a reader gets the text of an id back.
{% for entity, column in [('user', 'user_id'), ('anonymous', 'anonymous_id'), ('bot', 'bot_id')] %}
select
    '{{ entity }}' as entity,
    {{ entity_key(column) }} as entity_key,
    {{ column }} as entity_id,
    load_key,
    -- Every raw row counts once over the table, so that its days can be checked against what landed.
    cast({{ 'count(*)' if entity == 'bot' else '0' }} as bigint) as row_count,
    landed_date
from {{ ref('stg_product__events__typed') }}
where {{ only_touched(touched) }}{{ '' if entity == 'bot' else ' and ' ~ column ~ ' is not null' }}
group by {{ column }}, load_key, landed_date
{{ 'union all' if not loop.last }}
{% endfor %}
