{% macro raw_cells(table_name) %}
    {#- Rows of a landed table by day and load. Landing recorded them, so an ordinary day need not read the
        lake to know what is new; the sample and a catalog are counted. -#}
    {%- if raw_mode() == 'lake' -%}
        {{- return(
            'select landed_date, load_id, sum(row_count) as row_count from ' ~ raw('landing_fingerprints')
            ~ " where table_name = '" ~ table_name ~ "' group by landed_date, load_id"
        ) -}}
    {%- endif -%}
    {{- return(
        'select ' ~ landed_date(table_name) ~ ' as landed_date, load_id, count(*) as row_count from '
        ~ raw(table_name) ~ ' group by ' ~ landed_date(table_name) ~ ', load_id'
    ) -}}
{% endmacro %}
