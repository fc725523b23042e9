{% macro unit_measures() %}
    {#- What the outcomes of experiments are made of: whole numbers that add over days (money in micros of a
        dollar, time in milliseconds). A metric of the seed experiment_metrics names one of these. -#}
    {{- return([
        'active_days', 'messages', 'features_used', 'follows', 'images', 'ad_impressions', 'engaged_ms',
        'ad_micros', 'impressions', 'clicks', 'viewers', 'chat_starters', 'sessions', 'session_ms',
        'subscription_orders', 'coin_orders', 'shop_orders', 'order_micros', 'subscription_micros',
        'conversions', 'cancellations', 'product_views', 'creator_orders', 'creator_micros'
    ]) -}}
{% endmacro %}
