{% macro changed_cells(table_name, built) %}
    {#- Days and loads in which an incremental relation and the raw data hold different numbers of rows:
        new files, vanished files, and whatever was done to the relation by hand.
        built: query of (landed_date, load_key, row_count) over the relation. -#}
    {%- set query -%}
        with
        landed as (
            select landed_date, load_id, {{ entity_key('load_id') }} as load_key, row_count
            from ({{ raw_cells(table_name) }}) as cells
        ),
        built as ({{ built }})
        select
            cast(coalesce(landed.landed_date, built.landed_date) as string) as landed_date,
            landed.load_id as load_id,
            cast(coalesce(landed.load_key, built.load_key) as string) as load_key
        from landed
        full outer join built
            on landed.landed_date = built.landed_date and landed.load_key = built.load_key
        where landed.row_count is distinct from built.row_count
    {%- endset -%}
    {{- return(run_query(query).rows) -}}
{% endmacro %}
