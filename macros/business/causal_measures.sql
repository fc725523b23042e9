{% macro causal_measures() %}
    {#- What a question of the seed causal_questions may name as treatment or outcome: whole numbers of a person
        and a day that add over days. Every feature of the contract is one, as <feature>_uses. -#}
    {%- set names = [
        'active_days', 'messages', 'features_used', 'follows', 'chat_starters', 'ad_impressions', 'sessions',
        'session_ms', 'conversions', 'coin_orders', 'shop_orders', 'ratings', 'high_ratings'
    ] -%}
    {%- for feature in event_features() -%}
        {%- do names.append(feature ~ '_uses') -%}
    {%- endfor -%}
    {{- return(names) -}}
{% endmacro %}
