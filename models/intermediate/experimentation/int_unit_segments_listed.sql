{%- set known = ['role', 'country', 'platform', 'tenure', 'workflow'] -%}
-- What each unit is counted under. A unit with several tags stands under each of them; tags are those of a bot on
-- the day of exposure, of a person those of the first bot it wrote to, if that was before the exposure. Strata
-- cross what was known before; halves split each at random, so that an order found in one is tried on the other.
with

described as (

    select
        *,
        -- The text of the id, not its key: keys differ between engines.
        case when md5(experiment_id || '/' || unit_id) < '8' then 'a' else 'b' end as half,
        coalesce(role || ' ' || platform || ' ' || tenure, workflow, 'all') as stratum
    from {{ ref('int_units_described') }}

),

tags as (

    select
        units.experiment_id,
        units.phase,
        units.unit_key,
        tags.tag
    from described as units
    inner join {{ ref('int_bot_tags_merged') }} as tags
        on case when units.unit_type = 'bot' then units.unit_key end = tags.bot_key
        and units.exposure_date between tags.valid_from_date and tags.valid_to_date
    union all
    select
        units.experiment_id,
        units.phase,
        units.unit_key,
        tags.tag
    from described as units
    inner join {{ ref('int_persons_acquired') }} as persons
        on case when units.unit_type = 'user' then units.unit_key end = persons.person_key
        and units.exposure_date > persons.first_chat_date
    inner join {{ ref('int_bot_tags_merged') }} as tags
        on persons.first_bot_key = tags.bot_key
        and persons.first_chat_date between tags.valid_from_date and tags.valid_to_date

)

select
    experiment_id,
    phase,
    unit_key,
    'all' as segment_key,
    'all' as segment_value
from described
{%- for segment in known %}
union all
select
    experiment_id,
    phase,
    unit_key,
    '{{ segment }}' as segment_key,
    {{ segment }} as segment_value
from described
where {{ segment }} is not null
{%- endfor %}
union all
select
    experiment_id,
    phase,
    unit_key,
    'tag' as segment_key,
    tag as segment_value
from tags
union all
select
    units.experiment_id,
    units.phase,
    units.unit_key,
    'trigger' as segment_key,
    case
        when {{ measure_of('triggers.measure', 'windows') }} > 0 then 'triggered'
        else 'untriggered'
    end as segment_value
from described as units
inner join {{ ref('experiment_triggers') }} as triggers on units.experiment_id = triggers.experiment_id
left join {{ ref('int_unit_windows_measured') }} as windows
    on units.experiment_id = windows.experiment_id
    and units.phase = windows.phase
    and units.unit_type = windows.unit_type
    and units.unit_key = windows.unit_key
    and triggers.window_days = windows.window_days
    and windows.delay_days = 0
union all
select
    experiment_id,
    phase,
    unit_key,
    'stratum' as segment_key,
    stratum as segment_value
from described
union all
select
    experiment_id,
    phase,
    unit_key,
    'half' as segment_key,
    half || ' ' || stratum as segment_value
from described
