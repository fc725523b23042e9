-- What arrived, counted apart from staging: landing's own record for a lake, the raw rows elsewhere.
{% for table_name in var('contract') %}
select
    '{{ table_name }}' as table_name,
    load_id,
    {{ entity_key('load_id') }} as load_key,
    landed_date,
    cast(row_count as bigint) as row_count
from ({{ raw_cells(table_name) }}) as cells
{{ 'union all' if not loop.last }}
{% endfor %}
