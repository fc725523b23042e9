with

lifetimes as (

    select * from {{ ref('py_contract_lifetimes') }}

),

valued as (

    select
        lifetimes.*,
        measured.period_days,
        measured.charge_count,
        measured.net_usd,
        {{ safe_divide('measured.net_usd', 'measured.charge_count') }} as net_per_charge
    from lifetimes
    inner join {{ ref('int_plans_measured') }} as measured on lifetimes.plan_id = measured.plan_id

)

select
    plan_id,

    period_days,
    customer_count,
    observed_renewals_count,
    charge_count,
    net_usd,
    cast(net_per_charge as decimal(18, 6)) as net_per_charge_usd,

    first_churn_rate,
    alpha,
    beta,
    log_alpha_error,
    log_beta_error,
    log_likelihood,
    geometric_log_likelihood,

    horizon_payments,
    horizon_payments_low,
    horizon_payments_high,
    cast(horizon_payments * net_per_charge as decimal(18, 6)) as horizon_value_usd,
    cast(horizon_payments_low * net_per_charge as decimal(18, 6)) as horizon_value_low_usd,
    cast(horizon_payments_high * net_per_charge as decimal(18, 6)) as horizon_value_high_usd,
    lifetime_payments,
    lifetime_payments_low,
    lifetime_payments_high,
    cast(lifetime_payments * net_per_charge as decimal(18, 6)) as lifetime_value_usd,
    cast(lifetime_payments_low * net_per_charge as decimal(18, 6)) as lifetime_value_low_usd,
    cast(lifetime_payments_high * net_per_charge as decimal(18, 6)) as lifetime_value_high_usd,

    coalesce(missing_reason, case when net_per_charge is null then 'no_charges' end) as missing_reason,
    is_homogeneous,

    {{ as_of_date() }} as as_of_date
from valued
