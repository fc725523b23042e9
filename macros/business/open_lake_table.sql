{% macro open_lake_table(name, folder, columns, with_load) %}
    {%- do run_query(
        'create or replace view raw.' ~ name ~ ' as ' ~ lake_relation(folder, columns, with_load)
    ) -%}
{% endmacro %}
