-- The bins of a model's calibration are the people it was tested on, each once.
select
    bins.model_name,
    models.test_row_count,
    models.test_churned_count,
    sum(bins.person_count) as person_count,
    sum(bins.churned_count) as churned_count
from {{ ref('agg_churn_calibrations') }} as bins
inner join {{ ref('agg_churn_evaluations') }} as models on bins.model_name = models.model_name
group by bins.model_name, models.test_row_count, models.test_churned_count
having
    sum(bins.person_count) <> models.test_row_count
    or sum(bins.churned_count) <> models.test_churned_count
