"""A claim that cannot fail proves nothing: each claim across marts is shown a damage that it must notice."""

from __future__ import annotations

import re
import shutil

import duckdb
import pytest

from conftest import ROOT, dbt_runner
from test_fixtures import DAMAGE as STORY
from warehouse import Warehouse
from worlds import World

# On a copy of the shipped sample, by claim; those of test_fixtures.py are damaged there.
DAMAGE = {
    "assert_results_count_the_units_that_were_exposed": (
        "update experimentation.fct_experiment_exposures set is_analysed = false"
    ),
    "assert_segments_of_an_experiment_hold_its_units": (
        "delete from experimentation.agg_experiment_health__segments where segment_value = 'ios'"
    ),
    "assert_the_last_look_at_an_experiment_is_its_matured_result": (
        "update experimentation.fct_experiment_sequences "
        "set treatment_unit_count = treatment_unit_count + 1"
    ),
    "assert_creator_weights_add_up_to_one_on_every_day": (
        "update reference.creator_components set weight = weight + 0.01 where position = 2"
    ),
    "assert_every_creator_component_can_be_diagnosed_and_answered": (
        "delete from reference.creator_recommendations where effort_hours = 4"
    ),
    "assert_growth_accounting_closes_on_the_published_actives": (
        "update growth.agg_growth_accounting__daily set active_user_count = active_user_count + 1 "
        "where window_days = 7 and activity_date = date '2026-05-01'"
    ),
    "assert_growth_accounting_equals_a_direct_count": (
        "update growth.agg_growth_accounting__daily set "
        "retained_user_count = retained_user_count + 1, "
        "resurrected_user_count = resurrected_user_count - 1, "
        "churned_user_count = churned_user_count - 1 "
        "where activity_date = (select max(activity_date) from growth.agg_growth_accounting__daily)"
    ),
    "assert_new_people_and_cohort_members_are_everybody_ever_active": (
        "delete from retention.agg_cohort_time__ages where cohort_date = "
        "(select max(cohort_date) from retention.agg_cohort_time__ages)"
    ),
    "assert_active_day_counts_weigh_to_the_daily_actives_of_the_window": (
        "update growth.agg_active_days__daily set "
        "user_count = user_count + case active_days_count when 1 then 1 else -1 end "
        "where window_days = 28 and active_days_count in (1, 2)"
    ),
    "assert_cohorts_at_their_ages_add_up_to_daily_actives": (
        "update retention.agg_cohort_time__ages set active_days_count = active_days_count + 1 "
        "where age_days = 5"
    ),
    "assert_who_is_at_risk_falls_by_who_lapsed_or_left_the_watch": (
        "delete from retention.agg_survival__ages where age_days = 3"
    ),
    "assert_segments_of_survivors_add_up_to_everybody": (
        "update retention.agg_survival__ages set at_risk_count = at_risk_count + 1 "
        "where segment_dimension = 'role' and segment_value = 'teacher'"
    ),
    "assert_stickiness_counts_every_member": (
        "delete from retention.agg_stickiness__cohorts where returner_count = 0"
    ),
    "assert_funnel_segments_add_up_to_all": (
        "update engagement.agg_funnel_steps__segments set reached_count = reached_count + 1 "
        "where segment_dimension = 'role' and segment_value = 'teacher' and step_number = 2"
    ),
    "assert_funnel_days_count_the_entries": (
        "update engagement.agg_funnel_steps__daily set reached_count = reached_count + 1 "
        "where step_number = 2"
    ),
    "assert_everyone_enters_a_funnel_once_its_window_is_over": (
        "delete from engagement.fct_funnel_entries where person_id = "
        "(select min(person_id) from engagement.fct_funnel_entries)"
    ),
    "assert_compared_people_are_all_counted": (
        "update engagement.agg_group_comparisons set people_a_count = people_a_count + 1 "
        "where metric = 'active_day_share'"
    ),
    "assert_compared_groups_share_nobody": (
        "insert into reference.group_comparisons values ('same', 'role', 'teacher', 'teacher', 'q')"
    ),
    "assert_funnel_steps_name_what_exists": (
        "insert into reference.funnel_steps values "
        "('x', 1, 'a', 'app_opened', 'any', 'any', 1, 7, false)"
    ),
    "assert_funnels_are_numbered_from_one_without_gaps": (
        "insert into reference.funnel_steps values "
        "('y', 1, 'a', 'bot_view', 'any', 'any', 1, 7, false), "
        "('y', 3, 'b', 'bot_view', 'any', 'any', 1, 7, false)"
    ),
    "assert_cohorts_hold_everybody_ever_active_once": (
        "update retention.agg_new_user_retention__daily set new_user_count = new_user_count + 1 "
        "where cohort_date = date '2026-03-10'"
    ),
    "assert_daily_actives_are_the_returns_of_all_cohorts": (
        "update retention.agg_retention__cohorts set returned_count = returned_count + 1 "
        "where retention_kind = 'exact' and first_day = 1"
    ),
    "assert_wider_retention_windows_hold_narrower_ones": (
        "update retention.agg_retention__cohorts set returned_count = 0 "
        "where window_name = 'days_0_6'"
    ),
    "assert_segments_of_a_cohort_add_up_to_everybody": (
        "update retention.agg_retention__cohorts set cohort_size = cohort_size + 1 "
        "where segment_dimension = 'role'"
    ),
    "assert_retention_of_a_week_is_that_of_its_days": (
        "update retention.agg_retention__cohorts set cohort_size = cohort_size + 1 "
        "where cohort_grain = 'week'"
    ),
    "assert_every_mature_retention_cell_exists": (
        "delete from retention.agg_retention__cohorts "
        "where retention_kind = 'exact' and first_day = 3"
    ),
    "assert_no_retention_cell_is_younger_than_its_window": (
        "insert into retention.agg_bot_retention__cohorts (cohort_date, last_day) "
        "select as_of_date, 7 from intermediate.int_as_of"
    ),
    "assert_pooled_retention_is_the_sum_of_its_cohorts": (
        "update retention.agg_retention__pooled set returned_count = returned_count + 1"
    ),
    "assert_new_user_retention_agrees_with_the_cohorts": (
        "update retention.agg_new_user_retention__daily set d1_returned_count = d1_returned_count + 1"
    ),
    "assert_sessions_hold_every_event_of_people": (
        "update engagement.fct_sessions set event_count = event_count + 1 where session_number = 1"
    ),
    "assert_sessions_of_the_day_are_the_sessions": (
        "update engagement.agg_sessions__daily set session_count = session_count + 1"
    ),
    "assert_every_conversation_begins_once": (
        "update engagement.agg_user_engagement__daily set new_conversation_count = 1"
    ),
    "assert_slices_add_up_to_the_whole": (
        "delete from engagement.agg_engagement__daily_slices where slice_dimension = 'source'"
    ),
    "assert_users_of_a_slice_never_exceed_the_sum_over_its_bots": (
        "update engagement.agg_engagement__daily_slices set viewer_count = viewer_count + 1000 "
        "where slice_dimension = 'workflow'"
    ),
    "assert_use_is_told_alike_by_every_mart": (
        "update engagement.agg_user_actions__daily set active_user_count = active_user_count + 1"
    ),
    "assert_first_uses_of_a_feature_are_its_users": (
        "update engagement.agg_feature_adoption__daily set "
        "first_time_user_count = first_time_user_count + 1 where feature = 'chat'"
    ),
    "assert_every_member_of_a_cohort_is_in_its_size": (
        "update intermediate.int_cohort_values_aged set cohort_size = cohort_size + 1 "
        "where segment_dimension = 'all'"
    ),
    "assert_lifetime_value_is_revenue_to_the_age": (
        "update subscription.agg_ltv__cohorts set gross_usd = gross_usd + 0.000001 "
        "where cohort_grain = 'day' and segment_dimension = 'all'"
    ),
    "assert_mrr_chains_from_month_to_month": (
        "update subscription.fct_account_months set closing_usd = closing_usd + 0.01 "
        "where month_start_date = date '2026-04-01'"
    ),
    "assert_mrr_is_what_runs_at_the_end_of_the_month": (
        "update subscription.fct_account_months set closing_usd = 0 where closing_usd > 0 "
        "and month_start_date = date '2026-05-01'"
    ),
    "assert_orders_and_costs_reconcile_to_staging": (
        "delete from subscription.fct_orders where order_type = 'coins' "
        "and order_id = (select min(order_id) from subscription.fct_orders where order_type = 'coins')"
    ),
    "assert_revenue_is_one_total_in_every_mart": (
        "update subscription.agg_revenue__daily set gross_usd = gross_usd + 0.000001"
    ),
    "assert_spend_of_whole_months_is_published": (
        "update subscription.agg_acquisition__monthly set spend_usd = spend_usd + 1"
    ),
    "assert_survivors_of_a_period_begin_the_next": (
        "update intermediate.int_subscription_survivors set survivor_count = survivor_count + 1 "
        "where period_number = 1"
    ),
    "assert_bot_scores_stay_within_their_history": (
        "insert into engagement.fct_bot_scores (bot_id, score_date) "
        "select min(bot_id), date '2026-01-02' from engagement.fct_bot_scores"
    ),
    "assert_every_bot_that_people_met_is_in_exactly_one_tier": (
        "insert into engagement.fct_bot_ranks (bot_id, score_date, tier) "
        "select 'no such bot', max(score_date), 'S' from engagement.fct_bot_ranks"
    ),
    "assert_bot_alerts_warn_of_ranked_bots_only": (
        "insert into engagement.fct_bot_alerts (bot_id, score_date, reason_code, indicator, tier) "
        "select min(bot_id), max(score_date), 'tier_d', 'quality_score', 'D' "
        "from engagement.fct_bot_ranks"
    ),
    "assert_everyone_ever_active_is_in_one_segment": (
        "delete from engagement.dim_user_segments where person_id = "
        "(select min(person_id) from engagement.dim_user_segments)"
    ),
    "assert_bot_cohorts_hold_every_first_chat_once": (
        "delete from retention.agg_bot_retention__cohorts where bot_id = "
        "(select min(bot_id) from retention.agg_bot_retention__cohorts)"
    ),
    "assert_no_feature_of_churn_knows_the_outcome": (
        "update retention.agg_churn_evaluations set strongest_feature_area_low = 0.99 "
        "where model_name = 'logistic'"
    ),
    "assert_scores_of_churn_cover_who_was_active_lately": (
        "delete from retention.fct_churn_scores where person_id = "
        "(select min(person_id) from retention.fct_churn_scores)"
    ),
    "assert_contributions_to_churn_add_up_to_the_prediction": (
        "update retention.fct_churn_scores set contribution_log_odds = contribution_log_odds + 0.01"
    ),
    "assert_bins_of_churn_hold_the_people_of_the_test": (
        "update retention.agg_churn_calibrations set churned_count = churned_count + 1 "
        "where bin_number = 1"
    ),
    "assert_activation_halves_hold_every_newcomer_once": (
        "update retention.agg_activation_thresholds set measure_other_count = measure_other_count + 1 "
        "where event_name = 'new_message' and window_days = 3"
    ),
    "assert_creator_headroom_is_all_that_is_missing": (
        "update creators.fct_creator_kpis set headroom = headroom + 0.001 "
        "where kpi = 'engagement' and is_latest"
    ),
    "assert_every_creator_issue_has_an_answer": (
        "update creators.fct_creator_issues set action_title = null where impact_rank = 1"
    ),
    "assert_creator_recommendations_answer_issues": (
        "update creators.fct_creator_recommendations set priority = 2 * priority"
    ),
    "assert_creator_weeks_hold_every_day_of_their_window": (
        "update creators.fct_creator_weeks set order_count = order_count + 1 where is_latest"
    ),
    "assert_answer_slices_add_up_to_all": (
        "update llm_quality.agg_answer_costs__daily_slices set cost_usd = cost_usd + 0.000001 "
        "where slice_dimension = 'feature' and slice_value = 'chat'"
    ),
    "assert_every_mart_of_answers_holds_the_same_answers": (
        "delete from llm_quality.agg_answer_reactions__daily where slice_dimension = 'model_version' "
        "and activity_date = (select max(activity_date) from llm_quality.agg_answer_reactions__daily)"
    ),
    "assert_the_window_of_satisfaction_holds_the_answers_of_its_days": (
        "update llm_quality.agg_satisfaction__slices set rated_count = rated_count + 1 "
        "where slice_dimension = 'role'"
    ),
    "assert_quality_alerts_begin_where_charts_signal": (
        "insert into llm_quality.fct_quality_alerts (metric, model_version, activity_date, chart, direction) "
        "values ('mean_score', 'no such version', date '2026-05-01', 'cusum', 'below')"
    ),
    "assert_confusion_tables_hold_every_pair_of_grades": (
        "update llm_quality.agg_rater_confusions set pair_count = pair_count + 1 "
        "where subject = 'score' and rater_id = 'judge-1'"
    ),
    "assert_every_causal_question_is_answered_by_every_method": (
        "delete from experimentation.fct_causal_estimates "
        "where question = 'quiz_first_week' and reading = 'negative_control' and method = 'ipw'"
    ),
    "assert_causal_groups_are_everyone_asked_about": (
        "update experimentation.agg_causal_balance set treated_level_count = treated_level_count + 1 "
        "where question = 'lot_return' and covariate = 'role' and covariate_level = 'student'"
    ),
    "assert_weighting_balances_what_is_held_equal": (
        "update experimentation.agg_causal_balance set standardised_difference_after = 0.2 "
        "where is_held_equal and standardised_difference_after is not null"
    ),
    "assert_forecast_cohorts_add_up_to_the_series": (
        "update intermediate.int_series_cohorts_stepped set step_value = step_value + 1 "
        "where metric = 'weekly_active_users' and cohort_date = "
        "(select min(cohort_date) from intermediate.int_series_cohorts_stepped)"
    ),
    "assert_forecasts_are_tested_on_what_was_published": (
        "update growth.fct_forecast_backtests set actual_value = actual_value + 1 "
        "where metric = 'new_users' and horizon_days = 3"
    ),
    "assert_forecast_weeks_hold_their_days": (
        "update growth.fct_forecasts set p90 = p90 + 1000 "
        "where metric = 'daily_active_users' and horizon_days = 40"
    ),
    "assert_more_acquisition_never_means_fewer_users": (
        "update growth.fct_scenarios set p50 = p50 / 2 where scenario = 'acquisition_doubled' "
        "and metric = 'daily_active_users' and horizon_days = 1"
    ),
    "assert_scenarios_move_the_structure_of_the_forecast": (
        "update growth.fct_scenarios set base_structural_value = base_structural_value + 1 "
        "where metric = 'mrr_usd' and horizon_days = 7"
    ),
}


def test_every_claim_across_models_has_a_damage() -> None:
    claims = {path.stem for path in (ROOT / "tests" / "marts").glob("*.sql")}
    assert claims - set(STORY) == set(DAMAGE)


@pytest.fixture(scope="module")
def damaged(sample: World, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copy(sample.warehouse.database, folder / sample.warehouse.database.name)
    return Warehouse(folder, dbt_runner(folder), sample.warehouse.lake)


def test_every_claim_across_models_notices_its_damage(damaged: Warehouse) -> None:
    sound = damaged.dbt("test", "--select", *DAMAGE, check=False)
    assert not re.findall(r"(?:FAIL|ERROR) \d+ (\w+)", sound), sound[-4000:]
    with duckdb.connect(str(damaged.database)) as connection:
        for statement in DAMAGE.values():
            connection.execute(statement)
    output = damaged.dbt("test", "--select", *DAMAGE, check=False)
    noticed = set(re.findall(r"(?:FAIL|WARN) \d+ (\w+)", output))
    assert sorted(set(DAMAGE) - noticed) == [], output[-4000:]
