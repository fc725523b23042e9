{% macro touched_landed_days() %}
    {#- Days of the judged events to rebuild: those whose raw rows changed, and those that hold an earlier copy
        of an id that changed. None means all of them. No lookback decides: a copy may come any time later. -#}
    {%- if not (execute and is_incremental()) or raw_mode() == 'seed' -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set cells = changed_cells(
        'events',
        'select landed_date, load_key, count(*) as row_count from ' ~ this ~ ' group by landed_date, load_key'
    ) -%}
    {%- set dates = cells | map(attribute='landed_date') | unique | list -%}
    {%- if dates | length == 0 -%}
        {{- return({'dates': [], 'loads': []}) -}}
    {%- endif -%}
    {%- set new_loads = cells | map(attribute='load_id') | reject('none') | unique | list -%}
    {%- set keys = cells | map(attribute='load_key') | unique | list -%}
    {%- set query -%}
        with
        changed_ids as (
            select event_key
            from {{ this }}
            where landed_date in ({{ quoted_list(dates, 'date') }}) and load_key in ({{ keys | join(', ') }})
            {%- if new_loads %}
            union
            select event_key
            from {{ ref('stg_product__events__typed') }}
            where landed_date in ({{ quoted_list(dates, 'date') }})
                and load_id in ({{ quoted_list(new_loads) }})
            {%- endif %}
        )
        select distinct cast(landed_date as string) as landed_date
        from {{ this }}
        where event_key in (select event_key from changed_ids where event_key is not null)
    {%- endset -%}
    {%- set dates = (dates + (run_query(query).columns[0].values() | list)) | unique | sort -%}
    {{- return({'dates': dates, 'loads': loads_of_dates('events', dates)}) -}}
{% endmacro %}
