{% macro raw(table_name) %}
    {#- The one way to read raw data, as a relation or subquery with the contract's columns, ingested_at
        and load_id (what a row came with: a lake file, the sample, or the day it reached the catalog). -#}
    {%- set mode = raw_mode() -%}
    {%- if table_name in var('landing') -%}
        {%- if mode == 'lake' -%}
            {{- return(source('lake', table_name)) -}}
        {%- endif -%}
        {#- The sample and a catalog come without a landing: nothing was rejected, nothing was counted. -#}
        {%- set nothing = [] -%}
        {%- for column in var('landing')[table_name].columns -%}
            {%- do nothing.append('cast(null as ' ~ column.type ~ ') as ' ~ column.name) -%}
        {%- endfor -%}
        {{- return('(select ' ~ nothing | join(', ') ~ ' where 1 = 0) as ' ~ table_name) -}}
    {%- elif mode == 'lake' -%}
        {{- return(source('lake', table_name)) -}}
    {%- elif mode == 'catalog' -%}
        {#- Also where no hook ran before: dbt compile, show and docs read the catalog too. -#}
        {%- if execute -%}{%- do open_catalog() -%}{%- endif -%}
        {{- return(
            "(select *, cast(cast(ingested_at as date) as string) as load_id from "
            ~ ref('map_catalog__' ~ table_name) ~ ') as ' ~ table_name
        ) -}}
    {%- else -%}
        {{- return("(select *, 'seed' as load_id from " ~ ref('raw_' ~ table_name) ~ ') as ' ~ table_name) -}}
    {%- endif -%}
{% endmacro %}
