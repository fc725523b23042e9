{{ config(materialized='table') }}

-- Every age lies in some of the named windows; the set of them is a bit mask. The union of the masks of the ages
-- at which a person was active is all that is asked about that person, in one look at every active day.
with

windows as (

    select * from {{ ref('int_retention_windows_listed') }}

)

select
    ages.first_day as age_days,
    bit_or(windows.window_bit) as window_mask
from windows as ages
inner join windows on ages.first_day between windows.first_day and windows.last_day
where ages.retention_kind = 'exact' and windows.is_named
group by ages.first_day
