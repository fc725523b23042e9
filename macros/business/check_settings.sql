{% macro check_settings() %}
    {#- Every setting that reaches SQL, judged before anything is built: a wrong one costs a second and names
        itself, instead of an hour and a failed model. -#}
    {%- for name in [
        'late_data_days', 'automation_messages_per_minute', 'automation_events_per_day', 'click_window_seconds',
        'session_gap_seconds', 'session_id_max_seconds', 'session_max_seconds', 'funnel_max_steps',
        'comparison_days', 'comparison_conversion_days', 'retention_horizon_days', 'retention_small_cohort_size',
        'churn_days', 'churn_training_snapshots', 'churn_snapshot_spacing_days', 'churn_history_days',
        'churn_feature_area_max', 'churn_model_area_max', 'driver_window_days', 'stickiness_window_days', 'trailing_window_days', 'bot_score_history_days',
        'creator_window_days', 'creator_history_weeks', 'creator_component_weeks', 'payment_grace_days', 'renewal_tolerance_hours', 'early_cancel_hours', 'attribution_window_days',
        'lifetime_holdout_days',
        'causal_propensity_low', 'causal_propensity_high', 'causal_weeks_before', 'causal_weeks_after',
        'causal_p_value', 'causal_check_p_value', 'causal_balance_limit', 'causal_overlap_limit',
        'low_score_at_most', 'high_score_at_least', 'answer_reaction_seconds', 'chart_base_days', 'chart_base_answers', 'chart_base_variance',
        'chart_day_answers', 'rating_link_days',
        'experiment_history_days', 'experiment_age_days', 'bot_harm_probability', 'sample_ratio_e_value',
        'sample_ratio_p_value',
        'reason_rate_warn', 'reason_rate_error', 'reason_rate_min_rows',
    ] -%}
        {%- do number_var(name) -%}
    {%- endfor -%}
    {%- do date_var('earliest_event_time') -%}
    {%- do text_var('reporting_tz') -%}
    {%- do text_var('answer_scorer_version') -%}
    {%- do busy_day_floor() -%}
    {%- set day = env_var('PLUMBLINE_AS_OF', '') -%}
    {%- if day -%}
        {%- set is_day = modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', day) is not none -%}
        {#- A day such as 2026-02-30 looks right and is none. -#}
        {%- if not is_day
            or run_query("select 1 as found where try_cast('" ~ day ~ "' as date) is not null").rows | length == 0 -%}
            {{ exceptions.raise_compiler_error("PLUMBLINE_AS_OF must be a date like 2026-01-31, found: " ~ day) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
