{% macro statistic_terms() %}
    {#- Sums over units of an experiment: y numerator, d denominator, x and z the same before exposure, each less
        a whole number near its mean; k is y with large values cut off. yx is the sum of products. -#}
    {{- return([
        'y', 'd', 'x', 'z', 'yy', 'yd', 'yx', 'yz', 'dd', 'dx', 'dz', 'xx', 'xz', 'zz', 'yyy', 'k', 'kk', 'kkk'
    ]) -}}
{% endmacro %}
