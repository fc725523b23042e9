{% test accepted_range(model, column_name, min_value=none, max_value=none, inclusive=true) %}

{%- if min_value is none and max_value is none -%}
    {{ exceptions.raise_compiler_error(
        "accepted_range on " ~ column_name ~ " names no bound: give min_value, max_value or both."
    ) }}
{%- endif -%}

select *
from {{ model }}
where
    false
    {%- if min_value is not none %}
    or {{ column_name }} {{ '<' if inclusive else '<=' }} {{ min_value }}
    {%- endif %}
    {%- if max_value is not none %}
    or {{ column_name }} {{ '>' if inclusive else '>=' }} {{ max_value }}
    {%- endif %}
    {#- Both engines sort NaN above every number, so a lower bound alone would let it pass, and
        either bound alone lets one infinity pass; the difference of such a value with itself is
        NaN. A bound that is not a number belongs to a date or a time, which have neither. #}
    {%- if min_value is number or max_value is number %}
    or {{ column_name }} - {{ column_name }} <> 0
    {%- endif %}

{% endtest %}
