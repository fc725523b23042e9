{#- Name, is a share, numerator, denominator, independent units, and their sums of squares and products. -#}
{%- set window = number_var('stickiness_window_days') -%}
{%- set indicators = [
    ('click_through', 'true', 'clicked_impression_count', 'impression_count', 'shown_user_count',
        'squared_click_count', 'click_impression_product', 'squared_impression_count'),
    ('chat_start', 'true', 'chat_starter_count', 'viewer_count', 'viewer_count',
        'chat_starter_count', 'chat_starter_count', 'viewer_count'),
    ('depth_per_user_day', 'false', 'new_message_count', 'chatting_user_count', 'chatting_user_count',
        'squared_message_count', 'new_message_count', 'chatting_user_count'),
    ('depth_per_user', 'false', 'new_message_count', 'chatting_person_count', 'chatting_person_count',
        'squared_person_message_count', 'new_message_count', 'chatting_person_count'),
    ('stickiness', 'true', 'return_days', 'stickiness_user_count * ' ~ window, 'stickiness_user_count',
        'squared_return_days', 'return_days * ' ~ window, 'stickiness_user_count * ' ~ window ~ ' * ' ~ window),
    ('day_7_retention', 'true', 'day_7_return_count', 'day_7_user_count', 'day_7_user_count',
        'day_7_return_count', 'day_7_return_count', 'day_7_user_count'),
] -%}
-- Long form: one formula serves every indicator.
{% for name, is_share, numerator, denominator, units, squared, product, denominator_squared in indicators -%}
select
    bot_id,
    score_date,
    '{{ name }}' as indicator,
    {{ is_share }} as is_share,
    {{ numerator }} as numerator_count,
    {{ denominator }} as denominator_count,
    {{ units }} as unit_count,
    {{ squared }} as squared_numerator,
    {{ product }} as cross_product,
    {{ denominator_squared }} as squared_denominator
from {{ ref('int_bot_indicators_rolled') }}
{{ 'union all' if not loop.last }}
{% endfor %}
