-- What tells churners apart almost without a mistake was made from what happened after the snapshot. The row names
-- the feature that alone tells most. The lower bound counts: over a handful of people anything may happen.
select
    model_name,
    strongest_feature,
    strongest_feature_area,
    area_under_curve
from {{ ref('agg_churn_evaluations') }}
where
    strongest_feature_area_low > {{ number_var('churn_feature_area_max') }}
    or area_under_curve_low > {{ number_var('churn_model_area_max') }}
