{% macro loads_of_dates(table_name, dates) %}
    {#- Loads that hold rows of these days: the only files a rebuild of the days has to open. -#}
    {%- set found = run_query(
        'select distinct load_id from (' ~ raw_cells(table_name) ~ ') as cells where landed_date in ('
        ~ quoted_list(dates, 'date') ~ ')'
    ) -%}
    {{- return(found.columns[0].values() | list) -}}
{% endmacro %}
