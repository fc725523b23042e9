-- What a month closes with the next one opens with, for every account and in sum; each account is new once at most.
with

accounts as (

    select
        person_id,
        month_start_date,
        opening_usd,
        closing_usd,
        movement,
        lag(closing_usd) over (partition by person_id order by month_start_date asc nulls last) as previous_usd
    from {{ ref('fct_account_months') }}

),

months as (

    select
        month_start_date,
        opening_usd,
        lag(closing_usd) over (order by month_start_date asc nulls last) as previous_usd
    from {{ ref('agg_mrr_movements__monthly') }}

)

select person_id as who, month_start_date, opening_usd, previous_usd
from accounts
where opening_usd <> coalesce(previous_usd, 0)
union all
select 'all' as who, month_start_date, opening_usd, previous_usd
from months
where opening_usd <> coalesce(previous_usd, 0)
union all
select
    person_id as who,
    max(month_start_date) as month_start_date,
    sum(opening_usd) as opening_usd,
    count(*) as previous_usd
from accounts
where movement = 'new'
group by person_id
having count(*) > 1
