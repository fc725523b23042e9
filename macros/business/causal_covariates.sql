{% macro causal_covariates() %}
    {#- What a question may hold equal between its groups, each as a short list of levels. `chance` is on how many
        days of the treatment window the person was there at all, so had the chance to be treated. -#}
    {{- return(['role', 'country', 'platform', 'acquisition_channel', 'tenure', 'use_before', 'messages_before',
                'chance']) -}}
{% endmacro %}
