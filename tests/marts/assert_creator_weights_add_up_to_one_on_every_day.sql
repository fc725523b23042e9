-- Weights change only on the days on which a row begins or ends to hold, so that those days are enough.
with

kpis as (

    select * from {{ ref('creator_kpis') }}

),

components as (

    select * from {{ ref('creator_components') }}

),

days as (

    select valid_from_date as changed_date from kpis
    union distinct
    select valid_from_date as changed_date from components
    union distinct
    select valid_to_date as changed_date from kpis
    union distinct
    select valid_to_date as changed_date from components

),

summed_kpis as (

    select
        days.changed_date,
        'all' as weighed,
        sum(kpis.weight) as sum_of_weights
    from days
    left join kpis
        on days.changed_date >= kpis.valid_from_date
        and days.changed_date < kpis.valid_to_date
    group by days.changed_date

),

summed_components as (

    select
        days.changed_date,
        kpis.kpi as weighed,
        sum(components.weight) as sum_of_weights
    from days
    inner join kpis
        on days.changed_date >= kpis.valid_from_date
        and days.changed_date < kpis.valid_to_date
    left join components
        on kpis.kpi = components.kpi
        and days.changed_date >= components.valid_from_date
        and days.changed_date < components.valid_to_date
    group by days.changed_date, kpis.kpi

),

summed as (

    select * from summed_kpis
    union all
    select * from summed_components

)

select *
from summed
where
    (sum_of_weights is null or sum_of_weights <> 1)
    and changed_date < cast('9999-12-31' as date)
