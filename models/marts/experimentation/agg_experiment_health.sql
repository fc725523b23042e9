with

judged as (

    select
        *,
        multi_exposed_count >= 10 and multi_exposed_count * 100 >= exposed_unit_count as has_multi_exposure,
        coalesce(imbalance_p_value * imbalance_test_count < 0.001, false) as has_pre_exposure_imbalance
    from {{ ref('int_experiment_health_judged') }}

)

select
    experiment_id,
    phase,
    {{ as_of_date() }} as as_of_date,
    cast(full_days as bigint) as full_days,
    unit_count,
    exposed_unit_count,
    multi_exposed_count,
    {{ safe_divide('multi_exposed_count', 'exposed_unit_count') }} as multi_exposed_rate,
    excluded_count,
    leaked_count,
    matured_unit_count,
    chi_square as sample_ratio_chi_square,
    sample_ratio_p_value,
    sample_ratio_log_e_value,
    imbalance_p_value,
    imbalance_test_count,
    is_leaked as has_leak,
    is_mismatched as has_sample_ratio_mismatch,
    has_multi_exposure,
    has_pre_exposure_imbalance,
    not is_leaked and not is_mismatched and not has_multi_exposure and not has_pre_exposure_imbalance as is_valid
from judged
