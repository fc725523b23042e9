with

bins as (

    select
        model_name,
        {%- for name in ['row_count', 'churned_count', 'mean_predicted', 'lowest_predicted', 'highest_predicted'] %}
        max(case when metric = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        cast(name as bigint) as bin_number
    from {{ ref('py_churn_findings') }}
    where section = 'bin'
    group by model_name, name

)

select
    model_name,
    bin_number,

    cast(row_count as bigint) as person_count,
    cast(churned_count as bigint) as churned_count,
    {{ safe_divide('churned_count', 'row_count') }} as churn_rate,
    {{ wilson_bound('churned_count', 'row_count', 'low') }} as churn_rate_low,
    {{ wilson_bound('churned_count', 'row_count', 'high') }} as churn_rate_high,
    mean_predicted as predicted_churn_rate,
    lowest_predicted as predicted_low,
    highest_predicted as predicted_high
from bins
