{{ config(materialized='table') }}

{{ paired_arms(
    ref('int_experiment_statistics_summed'),
    ['experiment_id', 'phase', 'metric', 'segment_key', 'segment_value', 'cohort'],
    ['kind', 'measure', 'role', 'is_primary', 'margin_relative', 'good_direction', 'is_capped', 'scale', 'quantile_level',
     'numerator_pivot', 'denominator_pivot', 'before_numerator_pivot', 'before_denominator_pivot', 'cap']
) }}
