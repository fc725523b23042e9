{% macro wilson_bound(successes, trials, side) %}
    {#- Wilson's score interval of a proportion, 95 %: (k + z^2/2 -+ z sqrt(k (n - k) / n + z^2/4)) / (n + z^2).
        It keeps its coverage where the normal one collapses: few trials, none or all of them a success. -#}
    {%- if side not in ['low', 'high'] -%}
        {{ exceptions.raise_compiler_error("wilson_bound: side must be low or high, found: " ~ side) }}
    {%- endif -%}
    {%- set z = 'cast(1.959963984540054 as double)' -%}
    {%- set k = 'cast(' ~ successes ~ ' as double)' -%}
    {%- set n = 'nullif(cast(' ~ trials ~ ' as double), 0)' -%}
    {%- set centre = k ~ ' + ' ~ z ~ ' * ' ~ z ~ ' / 2' -%}
    {%- set reach = z ~ ' * sqrt(' ~ k ~ ' * (' ~ n ~ ' - ' ~ k ~ ') / ' ~ n ~ ' + ' ~ z ~ ' * ' ~ z ~ ' / 4)' -%}
    {%- set scale = '(' ~ n ~ ' + ' ~ z ~ ' * ' ~ z ~ ')' -%}
    {#- At the ends the bound is 0 or 1 exactly; the square root would miss it by a rounding. -#}
    {%- if side == 'low' -%}
    {{- return(
        'case when ' ~ n ~ ' > 0 and ' ~ k ~ ' = 0 then cast(0 as double) else (' ~ centre ~ ' - ' ~ reach ~ ') / ' ~ scale
        ~ ' end'
    ) -}}
    {%- else -%}
    {{- return(
        'case when ' ~ k ~ ' = ' ~ n ~ ' then cast(1 as double) else (' ~ centre ~ ' + ' ~ reach ~ ') / ' ~ scale ~ ' end'
    ) -}}
    {%- endif -%}
{% endmacro %}
