{{ paired_arms(
    ref('int_exposure_ages_summed'),
    ['experiment_id', 'phase', 'metric', 'age_days'],
    ['kind', 'good_direction', 'scale'],
    ['unit_count', 'sum_y', 'sum_d', 'sum_yy', 'sum_yd', 'sum_dd']
) }}
