select
    event_key,
    user_key,
    anonymous_key,
    bot_key,
    session_key,
    conversation_key,
    context_key,
    event_at,
    event_date,
    landed_date,
    event_code,
    feature_code,
    method_code,
    unknown_event_name,
    engaged_ms,
    revenue_micros,
    {{ row_checksum([
        'event_key', 'event_at', 'user_key', 'anonymous_key', 'bot_key', 'session_key', 'conversation_key',
        'context_key', 'event_code', 'engaged_ms', 'revenue_micros',
    ]) }} as row_checksum
from {{ ref('stg_product__events__judged') }}
where verdict_code = 0
