{{ config(materialized='table') }}

-- Answers given to customers; also those to machines among them, for they were paid for.
select
    people.person_key,
    {{ reporting_date('responses.responded_at') }} as activity_date,
    coalesce(responses.bot_id, 'none') as bot_id,
    responses.model_version,
    count(*) as response_count,
    cast(sum(responses.cost_usd) as decimal(18, 6)) as llm_cost_usd
from {{ ref('stg_llm__responses') }} as responses
inner join {{ ref('int_persons_described') }} as people
    on responses.user_id = people.person_id and not people.is_excluded
where {{ reporting_date('responses.responded_at') }} <= {{ as_of_date() }}
group by
    people.person_key,
    {{ reporting_date('responses.responded_at') }},
    coalesce(responses.bot_id, 'none'),
    responses.model_version
