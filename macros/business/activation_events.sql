{% macro activation_events() %}
    {#- What may be asked "how often within the first days?": active days, what people do, and each feature. -#}
    {%- set found = ['active_day', 'new_message', 'bot_view', 'bot_follow', 'image_generated', 'feature_used'] -%}
    {%- for feature in event_features() -%}
        {%- do found.append(feature ~ '_use') -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
