{% macro touched_term_days() %}
    {#- Days to rebuild of a dictionary over the events (ids, contexts), whose rows carry how many raw rows
        they stand for. None means all of them. -#}
    {%- if not (execute and is_incremental()) or raw_mode() == 'seed' -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set cells = changed_cells(
        'events',
        'select landed_date, load_key, cast(sum(row_count) as bigint) as row_count from ' ~ this
        ~ ' group by landed_date, load_key'
    ) -%}
    {%- set dates = cells | map(attribute='landed_date') | unique | sort -%}
    {%- if dates | length == 0 -%}
        {{- return({'dates': [], 'loads': []}) -}}
    {%- endif -%}
    {{- return({'dates': dates, 'loads': loads_of_dates('events', dates)}) -}}
{% endmacro %}
