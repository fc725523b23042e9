{% macro measure_of(name, source) %}
    {#- The measure that a column names, 0 where the unit did nothing; two are sums of others. -#}
    {%- set branches = [] -%}
    {%- for measure in unit_measures() -%}
        {%- do branches.append("when '" ~ measure ~ "' then coalesce(" ~ source ~ '.' ~ measure ~ ', 0)') -%}
    {%- endfor -%}
    {%- for sum_name, parts in {
        'revenue_micros': ['ad_micros', 'order_micros', 'subscription_micros'],
        'paid_orders': ['subscription_orders', 'coin_orders', 'shop_orders'],
    }.items() -%}
        {%- set terms = [] -%}
        {%- for part in parts -%}
            {%- do terms.append('coalesce(' ~ source ~ '.' ~ part ~ ', 0)') -%}
        {%- endfor -%}
        {%- do branches.append("when '" ~ sum_name ~ "' then " ~ terms | join(' + ')) -%}
    {%- endfor -%}
    {{- return('case ' ~ name ~ '\n        ' ~ branches | join('\n        ') ~ '\n    end') -}}
{% endmacro %}
