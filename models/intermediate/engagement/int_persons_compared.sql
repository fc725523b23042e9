{{ config(materialized='table') }}

-- Everyone ever active, with what groups are formed by and with the stratum in which like is compared with like.
with

first_bots as (

    select
        chats.person_key,
        -- Several bots on the first day of chatting have no order in the facts of days.
        case
            when min(case when bots.is_ai_generated then 1 else 0 end) = 1 then 'ai_generated'
            when max(case when bots.is_ai_generated then 1 else 0 end) = 1
                or max(case when bots.is_ai_generated is null then 1 else 0 end) = 1 then 'mixed'
            else 'made_by_people'
        end as first_bot_type
    from (
        select
            person_key,
            bot_key,
            chat_date,
            min(chat_date) over (partition by person_key) as first_date
        from {{ ref('int_bot_chat_days_aged') }}
    ) as chats
    inner join {{ ref('int_bots_versioned') }} as bots
        on chats.bot_key = bots.bot_key
        and chats.chat_date >= bots.valid_from_date
        and chats.chat_date <= bots.valid_to_date
    where chats.chat_date = chats.first_date
    group by chats.person_key

),

tenures as (

    select
        cohorts.*,
        cast({{ day_diff('cohorts.first_active_date', as_of_date()) }} as bigint) as tenure_days
    from {{ ref('int_persons_cohorted') }} as cohorts

)

select
    tenures.person_key,
    tenures.first_active_date,
    tenures.tenure_days,
    tenures.role,
    tenures.country,
    tenures.platform,
    tenures.language,
    tenures.acquisition_channel,
    coalesce(first_bots.first_bot_type, 'none') as first_bot_type,
    -- A lot that every engine draws alike and nothing a person does can influence.
    case when substring(md5(persons.person_id), 1, 1) < '8' then 'first' else 'second' end as random_half,
    case
        when tenures.tenure_days < 7 then 'first week'
        when tenures.tenure_days < 28 then 'first month'
        when tenures.tenure_days < 90 then 'first quarter'
        else 'later'
    end as tenure_band
from tenures
inner join {{ ref('int_persons_described') }} as persons on tenures.person_key = persons.person_key
left join first_bots on tenures.person_key = first_bots.person_key
