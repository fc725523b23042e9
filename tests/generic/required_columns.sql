{% test required_columns(model, columns) %}

{#- One scan for a whole model: a not_null test on each column would read it once per column. -#}
select
    *,
    trim(
        {%- for column in columns %}
        case when {{ column }} is null then '{{ column }} ' else '' end
        {{- ' ||' if not loop.last }}
        {%- endfor %}
    ) as missing_columns
from {{ model }}
where
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {%- endfor %}

{% endtest %}
