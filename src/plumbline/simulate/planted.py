"""Puts the truth file together: what was planted, beside what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from plumbline.simulate import billing, churning, creators, llm, product, world
from plumbline.simulate.arrays import text_ids
from plumbline.simulate.experiments import Trial
from plumbline.simulate.settings import ACTIVITY_SEASON, SIGN_UP_GROWTH, SIGN_UP_SEASON
from plumbline.simulate.truth import Truth

if TYPE_CHECKING:
    from plumbline.simulate.engine import Run


def assemble(run: Run) -> Truth:
    """Truth of a finished run."""
    return Truth(run.settings.described(), _expected(run), _planted(run))


def _expected(run: Run) -> dict[str, Any]:
    tree = run.tally.tree()
    tables = {}
    for name in run.writer.names:
        copies = dict(run.writer.spoiler.duplicates[name])
        wrong = dict(run.writer.spoiler.wrong[name])
        landed, old = run.writer.landed[name], run.writer.superseded[name]
        tables[name] = {
            "landed": landed,
            "duplicates": sum(copies.values()) + old,
            "copies": copies,
            "superseded": old,
            "quarantined": sum(wrong.values()),
            "quarantined_by_reason": wrong,
            "accepted": landed - sum(copies.values()) - old - sum(wrong.values()),
            "late": tree.get("tables", {}).get(name, {}).get("late", 0),
        }
    tree.pop("tables", None)
    return {**tree, "as_of": run.settings.as_of.isoformat(), "tables": tables, "by_bot": _bots(run)}


def _bots(run: Run) -> dict[str, list[Any]]:
    names = ("impressions", "clicks", "unattributed", "viewers", "starters", "messages_by_bot")
    arrays = run.tally.arrays
    counts = {name: arrays[name].tolist() for name in names if name in arrays}
    return {"bot_id": run.bots.ids.to_pylist(), **counts}


def _planted(run: Run) -> dict[str, Any]:
    bots, arrays = run.bots, run.tally.arrays
    return {
        "product": {
            "season_monday_first": ACTIVITY_SEASON,
            "role_share": dict(zip(world.ROLES, world.ROLE_SHARE, strict=True)),
            "role_activity": dict(zip(world.ROLES, world.ROLE_ACTIVITY, strict=True)),
            "continue_rate": product.CONTINUE_RATE,
            "edit_rate": product.EDIT_RATE,
            "reset_rate": product.RESET_RATE,
            "follow_rate": product.FOLLOW_RATE,
            "image_rate": product.IMAGE_RATE,
            "shared_view_rate": product.SHARED_VIEW_RATE,
            "regenerate_rate": dict(zip(world.MODELS, world.MODEL_REGENERATE, strict=True)),
            "messages_per_chat": product.CHAT_MESSAGES,
            "anonymous_share": world.ANONYMOUS_SHARE,
            "internal_share": world.INTERNAL_SHARE,
        },
        "growth": {
            "sign_up_growth": SIGN_UP_GROWTH,
            "sign_up_season_monday_first": SIGN_UP_SEASON,
            "new_users_by_day": (run.users.first[1:] - run.users.first[:-1]).tolist(),
            "channel_share": dict(zip(world.CHANNELS, world.CHANNEL_SHARE, strict=True)),
        },
        "retention": {
            "classes": world.CLASSES,
            "class_share": world.CLASS_SHARE,
            "daily_leave": world.CLASS_LEAVE,
            "daily_active": world.CLASS_ACTIVE,
            "cohort_activity_first_last": world.COHORT_ACTIVITY,
        },
        "churn_drivers": churning.drivers(run.settings, run.trials),
        "bots": {
            "bot_id": bots.ids.to_pylist(),
            "ctr": bots.ctr.tolist(),
            "chat_start": bots.chat.tolist(),
            "starts_expected": arrays.get("starts_expected", bots.chat * 0).tolist(),
            "weak": text_ids("b", np.flatnonzero(bots.weak)).to_pylist(),
        },
        "experiments": [_trial(run, trial) for trial in run.trials],
        "subscriptions": _subscriptions(),
        "orders": {
            "buyer_share": billing.BUYER_SHARE, "purchase_rate": billing.BUY_RATE,
            "dropout": billing.BUY_STOP, "spend_gamma_gamma": billing.SPEND,
            "shop_share": billing.SHOP_SHARE,
        },
        "acquisition": {"cac_usd": billing.CHANNEL_CAC_USD},
        "llm": _models(run),
        "creators": {
            "factors": dict(zip(creators.FACTORS, creators.FACTOR_WEIGHT, strict=True)),
            "strength": creators.REVENUE_STRENGTH,
            "spearman_score_next_month": run.creators.validity(),
            "action_gain": creators.ACTION_GAIN,
            "action_component": creators.ACTION_COMPONENT,
            "empty": text_ids("k", np.flatnonzero(run.creators.empty)).to_pylist(),
        },
    }  # fmt: skip


def _trial(run: Run, trial: Trial) -> dict[str, Any]:
    return {
        "experiment_id": trial.experiment_id,
        "kind": trial.kind,
        "unit": trial.unit,
        "target": trial.target,
        "effects": dict(zip(trial.variations, trial.effects, strict=True)),
        "only_platform": world.PLATFORMS[trial.only_platform] if trial.only_platform >= 0 else None,
        "both_share": trial.extra.get("both_share", 0.0),
        "phases": [
            {
                "phase": phase.number,
                "start": run.settings.date_of(phase.start).isoformat(),
                "end": run.settings.date_of(phase.end).isoformat(),
                "status": phase.status,
                "expected": phase.expected,
                "actual": phase.actual,
            }
            for phase in trial.phases
        ],
    }


def _subscriptions() -> dict[str, Any]:
    plans = {
        name: {
            "share": billing.PLAN_SHARE[place],
            "price_usd": billing.PLAN_PRICE_USD[place],
            "unit": billing.PLAN_UNIT[place],
            "days": billing.PLAN_DAYS[place],
            "cancel": billing.PLAN_CANCEL[place],
            "payment_fails": billing.PLAN_FAIL[place],
            "trial": billing.PLAN_TRIAL[place],
        }
        for place, name in enumerate(billing.PLANS)
    }
    return {
        "plans": plans,
        "trial_days": billing.TRIAL_DAYS,
        "trial_converts": billing.TRIAL_CONVERTS,
        "early_cancel": billing.EARLY_CANCEL,
        "reenable": billing.REENABLE,
        "recovers": billing.RECOVERS,
        "grace_days": billing.GRACE_DAYS,
        "refund": billing.REFUND,
        "change": billing.CHANGE,
        "returns": billing.RETURNS,
        "subscriber_share": billing.SUBSCRIBER_SHARE,
        "currency_per_usd": dict(zip(billing.CURRENCIES, billing.CURRENCY_RATE, strict=True)),
    }


def _models(run: Run) -> dict[str, Any]:
    return {
        "bad_models": llm.BAD,
        "bad_from": run.settings.date_of(run.settings.at(llm.BAD_FROM)).isoformat(),
        "bad_share": llm.BAD_SHARE,
        "fault_rate": {
            name: dict(zip(("number_mismatch", "missing_citation", "refusal"), rates, strict=True))
            for name, rates in llm.FAULT_RATE.items()
        },
        "quality": llm.QUALITY,
        "fault_penalty": llm.FAULT_PENALTY,
        "rating_rate_by_role": dict(zip(world.ROLES, llm.RATING_RATE, strict=True)),
        "human_bias": llm.HUMANS,
        "judge_bias": llm.JUDGE_BIAS,
        "human_sensitivity_specificity": llm.HUMAN_FLAG,
        "judge_sensitivity_specificity": llm.JUDGE_FLAG,
        "position_bias_log_odds": llm.POSITION_BIAS,
        "fault_by_response_text": run.models.pool.labels(),
    }
