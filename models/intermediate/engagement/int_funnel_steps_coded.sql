-- The seed in the codes of the facts. An exclusion stands in the way of the step after the one it is listed at.
with

steps as (

    select * from {{ ref('funnel_steps') }}

),

entries as (

    select
        funnel,
        max(case when step_number = 1 and not is_exclusion then window_days end) as window_days,
        max(case when not is_exclusion then step_number end) as last_step_number
    from steps
    group by funnel

)

select
    steps.funnel,
    steps.step_number,
    steps.step_name,
    steps.is_exclusion,
    steps.step_number + case when steps.is_exclusion then 1 else 0 end as leads_to_step,
    steps.occurrence,
    cast(case steps.action
        {%- for name in event_names() %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
        {%- for name in var('funnel_other_actions') %}
        when '{{ name }}' then {{ 100 + loop.index }}
        {%- endfor %}
    end as smallint) as action_code,
    -- Null is any.
    cast(case steps.feature
        {%- for name in event_features() %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
    end as smallint) as feature_code,
    cast(case steps.method
        {%- for name in event_methods() %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
    end as smallint) as method_code,
    entries.window_days,
    entries.last_step_number
from steps
inner join entries on steps.funnel = entries.funnel
