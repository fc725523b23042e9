with

movements as (

    select
        *,
        case when movement in ('new', 'reactivation') then closing_usd else 0 end as gained_usd,
        case
            when movement in ('expansion', 'contraction', 'churn') then closing_usd - opening_usd
            else 0
        end as change_usd
    from {{ ref('int_account_months') }}

),

summed as (

    select
        month_start_date,
        balance_date,
        count(case when opening_usd > 0 then 1 end) as opening_account_count,
        count(case when movement = 'new' then 1 end) as new_account_count,
        count(case when movement = 'reactivation' then 1 end) as reactivated_account_count,
        count(case when movement = 'churn' then 1 end) as churned_account_count,
        count(case when churn_reason = 'voluntary' then 1 end) as voluntary_churned_account_count,
        count(case when churn_reason = 'payment_failed' then 1 end) as payment_failed_churned_account_count,
        count(case when closing_usd > 0 then 1 end) as closing_account_count,
        sum(opening_usd) as opening_usd,
        sum(case when movement = 'new' then gained_usd else 0 end) as new_usd,
        sum(case when movement = 'reactivation' then gained_usd else 0 end) as reactivation_usd,
        sum(case when movement = 'expansion' then change_usd else 0 end) as expansion_usd,
        sum(case when movement = 'contraction' then -change_usd else 0 end) as contraction_usd,
        sum(case when movement = 'churn' then -change_usd else 0 end) as churn_usd,
        sum(case when churn_reason = 'voluntary' then -change_usd else 0 end) as voluntary_churn_usd,
        sum(case when churn_reason = 'payment_failed' then -change_usd else 0 end) as payment_failed_churn_usd,
        sum(closing_usd) as closing_usd
    from movements
    group by month_start_date, balance_date

)

select
    month_start_date,
    balance_date,

    opening_account_count,
    new_account_count,
    reactivated_account_count,
    churned_account_count,
    voluntary_churned_account_count,
    payment_failed_churned_account_count,
    churned_account_count - voluntary_churned_account_count - payment_failed_churned_account_count
        as other_churned_account_count,
    closing_account_count
    {%- for amount in ['opening', 'new', 'reactivation', 'expansion', 'contraction', 'churn', 'voluntary_churn',
        'payment_failed_churn'] %},
    cast({{ amount }}_usd as decimal(18, 6)) as {{ amount }}_usd
    {%- endfor %},
    cast(churn_usd - voluntary_churn_usd - payment_failed_churn_usd as decimal(18, 6)) as other_churn_usd,
    cast(closing_usd as decimal(18, 6)) as closing_usd,
    cast(opening_usd + expansion_usd - contraction_usd - churn_usd as decimal(18, 6)) as net_retained_usd,
    cast(opening_usd - contraction_usd - churn_usd as decimal(18, 6)) as gross_retained_usd,
    cast(new_usd + reactivation_usd + expansion_usd as decimal(18, 6)) as gained_usd,
    cast(contraction_usd + churn_usd as decimal(18, 6)) as lost_usd,

    {{ safe_divide('opening_usd + expansion_usd - contraction_usd - churn_usd', 'opening_usd') }}
        as net_revenue_retention,
    {{ safe_divide('opening_usd - contraction_usd - churn_usd', 'opening_usd') }} as gross_revenue_retention,
    {{ safe_divide('churned_account_count', 'opening_account_count') }} as logo_churn_rate,
    {{ safe_divide('new_usd + reactivation_usd + expansion_usd', 'contraction_usd + churn_usd') }} as mrr_quick_ratio,

    {{ add_days('balance_date', 1) }}
    = cast({{ dbt.date_trunc('month', add_days('balance_date', 1)) }} as date) as is_complete_month,
    {{ add_days('balance_date', 1) }}
    = cast({{ dbt.date_trunc('month', add_days('balance_date', 1)) }} as date)
    and {{ is_final('balance_date') }} as is_final
from summed
