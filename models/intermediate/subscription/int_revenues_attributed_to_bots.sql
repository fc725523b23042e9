{{ config(materialized='table') }}
{%- set measures = ['gross_usd', 'refunded_usd', 'store_fee_usd'] %}

-- What a person paid on a day goes to the bots the person wrote to on the days before, by their share of the
-- messages. Whole micro-dollars, those left over to the largest remainders, so that nothing is lost or made up.
with

paid_days as (

    select
        person_key,
        activity_date,
        gross_usd,
        refunded_usd,
        store_fee_usd
    from {{ ref('int_payments_aggregated_to_person_days') }}
    where gross_usd > 0 or refunded_usd > 0

),

written as (

    select
        paid_days.person_key,
        paid_days.activity_date,
        chats.bot_key,
        sum(chats.new_message_count) as message_count
    from paid_days
    inner join {{ ref('int_bot_user_days_human') }} as chats
        on paid_days.person_key = chats.person_key
        and chats.event_date
        between {{ add_days('paid_days.activity_date', '-' ~ number_var('attribution_window_days')) }}
        and {{ add_days('paid_days.activity_date', -1) }}
    where chats.new_message_count > 0
    group by paid_days.person_key, paid_days.activity_date, chats.bot_key

),

named as (

    select
        written.person_key,
        written.activity_date,
        bots.bot_id,
        cast(written.message_count as bigint) as message_count,
        cast(sum(written.message_count) over (
            partition by written.person_key, written.activity_date
        ) as bigint) as total_count
    from written
    inner join {{ ref('int_bots_versioned') }} as bots on written.bot_key = bots.bot_key and bots.is_current

),

amounts as (

    {% for measure in measures -%}
    select
        person_key,
        activity_date,
        '{{ measure }}' as measure,
        cast(floor(cast({{ measure }} as decimal(19, 6)) * 1000000) as bigint) as micros
    from paid_days
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

shared as (

    select
        amounts.*,
        coalesce(named.bot_id, 'none') as bot_id,
        coalesce(named.total_count, 1) as total_count,
        amounts.micros * coalesce(named.message_count, 1) as numerator,
        cast(floor({{ safe_divide(
            'amounts.micros * coalesce(named.message_count, 1)', 'coalesce(named.total_count, 1)'
        ) }}) as bigint) as whole_micros
    from amounts
    left join named on amounts.person_key = named.person_key and amounts.activity_date = named.activity_date

),

ranked as (

    select
        *,
        micros - sum(whole_micros) over (partition by person_key, activity_date, measure) as left_micros,
        row_number() over (
            partition by person_key, activity_date, measure
            order by numerator - whole_micros * total_count desc nulls last, bot_id asc nulls last
        ) as remainder_rank
    from shared

),

completed as (

    select
        *,
        whole_micros + case when remainder_rank <= left_micros then 1 else 0 end as attributed_micros
    from ranked

)

select
    activity_date,
    bot_id,
    {%- for measure in measures %}
    cast(
        cast(sum(case when measure = '{{ measure }}' then attributed_micros else 0 end) as decimal(18, 0))
        * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
    ) as {{ measure }},
    {%- endfor %}
    count(distinct person_key) as payer_count
from completed
group by activity_date, bot_id
