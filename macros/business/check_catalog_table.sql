{% macro check_catalog_table(table_name, relation, mapped) %}
    {#- Raises one error that lists every column of the contract that a catalog table lacks or holds in a type
        whose values a cast could change. -#}
    {%- set place = 'map_catalog__' ~ table_name ~ '.sql' -%}
    {%- set full_name = relation.database ~ '.' ~ relation.schema ~ '.' ~ relation.identifier -%}
    {%- set found = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {#- dbt gives every text a length that the table does not have. -#}
        {%- set kind = column.dtype if column.is_string() else column.data_type -%}
        {%- do found.update({column.name | lower: kind | lower}) -%}
    {%- endfor -%}
    {%- if not found -%}
        {{ exceptions.raise_compiler_error(
            "catalog_tables names " ~ table_name ~ ", but there is no table " ~ full_name
            ~ "; check PLUMBLINE_CATALOG_DATABASE and PLUMBLINE_CATALOG_SCHEMA, or take it off catalog_tables."
        ) }}
    {%- endif -%}
    {%- set wrong = [] -%}
    {%- set columns = var('contract')[table_name].columns
        + [{'name': 'ingested_at', 'type': 'timestamp', 'required': true}] -%}
    {%- for column in columns if column.name not in mapped -%}
        {%- if column.name not in found -%}
            {%- do wrong.append(
                ('required' if column.get('required') else 'optional') ~ ' column ' ~ column.name ~ ' is missing'
            ) -%}
        {%- elif not keeps_values(found[column.name], column.type) -%}
            {%- do wrong.append(
                'column ' ~ column.name ~ ' is ' ~ found[column.name] ~ ', the contract needs ' ~ column.type
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if wrong -%}
        {{ exceptions.raise_compiler_error(
            full_name ~ ': ' ~ wrong | join('; ') ~ '. Write the conversion in ' ~ place
            ~ " and name the column there: catalog_table('" ~ table_name ~ "', mapped=['<column>'])."
        ) }}
    {%- endif -%}
{% endmacro %}
