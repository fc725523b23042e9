-- A minute ends with its last microsecond; there and back is the same moment. Events are never older than 1990.
with

moments as (

    select cast('1970-01-01 00:00:59.999999' as timestamp) as moment, 59999999 as microseconds, 0 as minute_count
    union all
    select cast('1970-01-01 00:01:00' as timestamp), 60000000, 1
    union all
    select cast('1990-01-01 00:00:00' as timestamp), 631152000000000, 10519200

)

select
    moment,
    {{ epoch_us('moment') }} as found_microseconds,
    {{ minute_number('moment') }} as found_minute
from moments
where {{ epoch_us('moment') }} <> microseconds
    or {{ timestamp_from_us('microseconds') }} <> moment
    or {{ minute_number('moment') }} <> minute_count
