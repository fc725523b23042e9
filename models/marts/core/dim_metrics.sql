select
    metric,
    definition,
    unit,
    good_direction,
    owner,
    model as mart,
    value_column,
    nullif(numerator_column, 'none') as numerator_column,
    nullif(denominator_column, 'none') as denominator_column,
    nullif(also_in, 'none') as also_in_marts,
    nullif(also_known_as, 'none') as also_known_as
from {{ ref('metric_registry') }}
