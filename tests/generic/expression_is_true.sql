{% test expression_is_true(model, expression, column_name=none) %}

{#- A null is not true: a rule that cannot be decided has not been kept. -#}
select *
from {{ model }}
where (
    {%- if column_name is not none %}{{ column_name }} {% endif %}{{ expression }}
) is not true

{% endtest %}
