{% macro drop_vanished_days(day_column, days) %}
    {#- Pre-hook of an incremental table: a day that no longer has any row upstream would keep its old rows,
        because only days that are rebuilt get replaced. days: query of the days that exist. -#}
    {%- if execute and is_incremental() -%}
        {{- return('delete from ' ~ this ~ ' where ' ~ day_column ~ ' not in (' ~ days ~ ')') -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}
