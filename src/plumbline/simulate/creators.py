"""Creators: daily facts that drive the next month's revenue, judgements, carried-out actions."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import numpy as np
import pyarrow as pa

from plumbline.simulate.arrays import Floats, Ints, codes, dates, decimals, stream, text_ids, times
from plumbline.simulate.experiments import Trial
from plumbline.simulate.rows import from_columns
from plumbline.simulate.settings import Settings
from plumbline.simulate.truth import Tally
from plumbline.simulate.writer import Writer

# The salt of invented data: landing uses a secret one.
PUBLIC_SALT = b"plumbline-public-sample"
CATEGORIES = ("beauty", "cooking", "fitness", "gaming", "study", "travel")
MONTH = 28
# Latent factors in [0, 1], new every 28 days around the creator's own level, and their weight on
# the log of the next 28 days' traffic.
FACTORS = ("conversion", "funnel", "engagement", "content", "reach")
FACTOR_WEIGHT = (0.45, 0.20, 0.15, 0.12, 0.08)
REVENUE_STRENGTH = 3.0
MONTH_NOISE = 0.15
EMPTY_SHARE = 0.05
ASSESSED_SHARE = 0.85
ACTION_SHARE = 0.25
ACTION_GAIN = 0.25
ACTION_COMPONENT = "conversion_rate"
# Assessment attribute -> factor it shows (through noise).
ATTRIBUTES = {
    "listing_quality": 0, "product_velocity": 0, "integration_seamlessness": 1,
    "retention_rate": 2, "video_quality": 3, "content_freshness": 3, "posting_consistency": 3,
    "content_diversity": 3, "hashtag_performance": 4, "search_visibility": 4,
    "viral_potential": 4, "target_demographic_match": 2, "audience_engagement_quality": 2,
    "follower_quality_score": 2, "audience_retention": 2, "brand_alignment": 3, "trust_score": 1,
    "authenticity_score": 3, "brand_consistency": 3, "trend_alignment": 4, "timing_score": 4,
    "trend_relevance": 4, "image_quality": 3, "lighting_score": 3, "composition_score": 3,
    "color_balance": 3, "visibility_score": 4,
}  # fmt: skip


def pseudonym(handle: str) -> str:
    """Handle as landing stores it: HMAC-SHA256 under the public salt, first 32 hex digits."""
    return hmac.new(PUBLIC_SALT, handle.encode(), hashlib.sha256).hexdigest()[:32]


class Creators:
    """All creators of a run; emits their four tables day by day."""

    def __init__(
        self, settings: Settings, trials: tuple[Trial, ...], writer: Writer, tally: Tally
    ) -> None:
        self.settings, self.writer, self.tally = settings, writer, tally
        rng = stream(settings.seed, 50)
        count, months = settings.creators, settings.days // MONTH + 2
        self.size = np.exp(rng.normal(6.0, 1.0, count))
        level = rng.beta(3, 3, (count, 1, len(FACTORS)))
        self.factors = np.clip(level + rng.normal(0, 0.08, (count, months, 5)), 0.02, 0.98)
        self.noise = np.exp(rng.normal(0, MONTH_NOISE, (count, months)))
        self.empty = np.arange(count) < max(1, round(EMPTY_SHARE * count))
        self.joined = -rng.integers(10, 400, count)
        self.category = rng.integers(0, len(CATEGORIES), count)
        self.aov = rng.uniform(15, 60, count)
        self.followers = (self.size * 20).astype(np.int64)
        acts = ~self.empty & (rng.random(count) < ACTION_SHARE)
        if not acts.any():
            acts[-1] = True
        late = settings.days - 30
        first = min(60, max(2, settings.days // 3))
        self.acted = np.where(acts, rng.integers(first, max(first + 1, late), count), 10**6)
        self.trial = next(trial for trial in trials if trial.unit == "creator")
        self.assessments = 0
        self.revenue = np.zeros((count, months), dtype=np.int64)

    def score(self, month: int) -> Floats:
        """Latent weighted score of every creator in a 28-day month."""
        return np.asarray(self.factors[:, month] @ np.array(FACTOR_WEIGHT))

    def run(self, day: int) -> None:
        """Emit one day."""
        if day == 0:
            self._profiles(day, np.arange(self.settings.creators), 0)
        if day == self.settings.days // 2:
            again = np.arange(self.settings.creators)[::7]
            self._profiles(day, again, len(again))
        if day % MONTH == 1:
            self._assess(day)
        self._actions(day)
        if day < self.settings.days - 1:
            self._daily(day)

    def _profiles(self, day: int, who: Ints, old: int) -> None:
        rng = stream(self.settings.seed, 51, day)
        at = np.full(len(who), self.settings.day_ms(day) + 3_600_000)
        handles = [f"maker_{CATEGORIES[self.category[n]]}_{n:05d}" for n in who]
        if self.settings.format in ("parquet", "seed"):
            handles = [pseudonym(handle) for handle in handles]
        has = rng.random(len(who)) < 0.6
        joined = self.settings.day_ms(0) + self.joined[who] * 86_400_000
        target = np.rint(self.size[who] * 20).astype(np.int64)
        columns = {
            "creator_id": text_ids("k", who),
            "updated_at": times(at),
            "handle": pa.array(handles),
            "category": codes(self.category[who], CATEGORIES),
            "joined_at": times(joined),
            "target_revenue_usd": decimals(target * 1_000_000, 18, 6, has),
            "target_aov_usd": decimals(np.full(len(who), 50_000_000), 18, 6, has),
            "target_reach": pa.array(target * 30, mask=~has),
            "target_cpa_usd": decimals(np.full(len(who), 50_000_000), 18, 6, has),
            "target_cpe_usd": decimals(np.full(len(who), 500_000), 18, 6, has),
            "target_cpv_usd": decimals(np.full(len(who), 50_000), 18, 6, has),
            "ingested_at": times(at + 20_000),
        }
        self.writer.emit("creators", from_columns("creators", columns), day, superseded=old)

    def _factor(self, day: int, who: Ints) -> Floats:
        """What the creator experiment and carried-out actions add to conversion."""
        factor = np.where(self.acted[who] <= day, 1 + ACTION_GAIN, 1.0)
        phase = self.trial.phase_on(day)
        if phase is not None:
            arm = self.trial.arm(self.settings.seed, phase, who)
            factor = factor * np.array(self.trial.effects)[arm]
        return np.asarray(factor)

    def _daily(self, day: int) -> None:
        rng = stream(self.settings.seed, 52, day)
        who = np.flatnonzero(~self.empty)
        month = day // MONTH
        now = self.factors[who, month]
        before = self.score(max(month - 1, 0))[who]
        pull = np.exp(REVENUE_STRENGTH * (before - 0.5)) * self.noise[who, month]
        traffic = self.size[who] * pull * np.where(day % 7 < 5, 1.0, 1.1)
        impressions = rng.poisson(traffic * 8)
        views = rng.binomial(impressions, 0.03 + 0.07 * now[:, 4])
        unique = rng.binomial(views, 0.85)
        likes = rng.binomial(views, 0.05 + 0.15 * now[:, 2])
        comments = rng.binomial(likes, 0.15 + 0.1 * now[:, 2])
        shares = rng.binomial(likes, 0.08 + 0.1 * now[:, 2])
        product_views = rng.poisson(traffic * 0.6)
        conversion = (0.02 + 0.08 * now[:, 0]) * self._factor(day, who)
        # product view -> cart -> checkout -> order; the funnel factor moves the two middle steps.
        reach = 0.35 + 0.5 * now[:, 1]
        finish = 0.6 + 0.35 * now[:, 1]
        carts = rng.binomial(product_views, np.minimum(conversion / (reach * finish), 0.95))
        started = rng.binomial(carts, reach)
        orders = rng.binomial(started, finish)
        cents = np.rint(rng.gamma(orders * 4.0 + 1e-9, self.aov[who] * 25.0)).astype(np.int64)
        cents = np.where(orders > 0, np.maximum(cents, 100), 0)
        watched = views * (8 + 20 * now[:, 3])
        length = views * 30
        growth = rng.binomial(views, 0.01)
        self.followers[who] += growth
        spend = rng.poisson(traffic * 0.2) * (rng.random(len(who)) < 0.7)
        self.revenue[who, month] += cents
        at = np.full(len(who), self.settings.day_ms(day + 1) + 3_600_000)
        columns: dict[str, Any] = {
            "creator_id": text_ids("k", who),
            "activity_date": dates(np.full(len(who), self.settings.first_day + day)),
            "posts": pa.array(rng.poisson(0.3 + now[:, 3])),
            "impressions": pa.array(impressions),
            "views": pa.array(views),
            "unique_viewers": pa.array(unique),
            "likes": pa.array(likes),
            "comments": pa.array(comments),
            "shares": pa.array(shares),
            "watch_seconds": decimals((watched * 1000).astype(np.int64), 18, 3),
            "video_seconds": decimals(length * 1000, 18, 3),
            "followers": pa.array(self.followers[who]),
            "search_impressions": pa.array(rng.binomial(impressions, 0.2)),
            "recommended_impressions": pa.array(rng.binomial(impressions, 0.02 + 0.08 * now[:, 4])),
            "product_views": pa.array(product_views),
            "carts": pa.array(carts),
            "checkouts_started": pa.array(started),
            "checkouts_completed": pa.array(orders),
            "orders": pa.array(orders),
            "revenue_usd": decimals(cents * 10_000, 18, 6),
            "spend_usd": decimals(spend * 100_000, 18, 6),
            "ingested_at": times(at),
        }
        self.writer.emit("creator_daily", from_columns("creator_daily", columns), day)
        self.tally.add("creators", "revenue_cents", value=int(cents.sum()))
        self._count_trial(day, who, product_views, orders)

    def _count_trial(self, day: int, who: Ints, viewed: Ints, orders: Ints) -> None:
        phase = self.trial.phase_on(day)
        acted = self.acted[who] <= day
        for name, of in (("implemented", acted), ("others", ~acted)):
            self.tally.add("creators", "actions", name, "orders", value=int(orders[of].sum()))
        if phase is None:
            return
        arm = self.trial.arm(self.settings.seed, phase, who)
        for place, name in enumerate(self.trial.variations):
            path = ("experiments", self.trial.experiment_id, "0", "outcomes", name)
            self.tally.add(*path, "product_views", value=int(viewed[arm == place].sum()))
            self.tally.add(*path, "orders", value=int(orders[arm == place].sum()))

    def _assess(self, day: int) -> None:
        rng = stream(self.settings.seed, 53, day)
        names = list(ATTRIBUTES)
        who = np.flatnonzero(~self.empty)
        creator, attribute = (
            x.ravel() for x in np.meshgrid(who, np.arange(len(names)), indexing="ij")
        )
        kept = rng.random(len(creator)) < ASSESSED_SHARE
        creator, attribute = creator[kept], attribute[kept]
        factor = np.array(list(ATTRIBUTES.values()))[attribute]
        value = self.factors[creator, day // MONTH, factor] + rng.normal(0, 0.07, len(creator))
        at = self.settings.day_ms(day) + rng.integers(0, 40_000_000, len(creator))
        columns = {
            "assessment_id": text_ids("v", self.assessments + np.arange(len(creator))),
            "creator_id": text_ids("k", creator),
            "assessed_at": times(at),
            "attribute": codes(attribute, names),
            "score": decimals(np.rint(np.clip(value, 0, 1) * 1e6).astype(np.int64), 9, 6),
            "assessor": codes(rng.integers(0, 3, len(creator)), ("panel-1", "panel-2", "model-1")),
            "ingested_at": times(at + 5_000),
        }
        self.assessments += len(creator)
        self.writer.emit("creator_assessments", from_columns("creator_assessments", columns), day)

    def _actions(self, day: int) -> None:
        who = np.flatnonzero(self.acted == day)
        if len(who) == 0:
            return
        at = np.full(len(who), self.settings.day_ms(day) + 36_000_000)
        columns = {
            "action_id": text_ids("t", who),
            "creator_id": text_ids("k", who),
            "recommendation_id": pa.array([self.recommendation(int(n), day) for n in who]),
            "implemented_on": dates(np.full(len(who), self.settings.first_day + day)),
            "ingested_at": times(at),
        }
        self.writer.emit(
            "recommendation_actions", from_columns("recommendation_actions", columns), day
        )
        self.tally.add("creators", "actions", "count", value=len(who))

    def recommendation(self, creator: int, day: int) -> str:
        """Invented recommendation id: hash of creator, component and week."""
        name = text_ids("k", np.array([creator]))[0].as_py()
        week = self.settings.date_of(day).strftime("%G-W%V")
        return hashlib.sha256(f"{name}|{ACTION_COMPONENT}|{week}".encode()).hexdigest()[:16]

    def validity(self) -> dict[str, Any]:
        """Rank correlation of the latent score with the next month's revenue, by month."""
        who = np.flatnonzero(~self.empty)
        found = {}
        for month in range((self.settings.days - 1) // MONTH - 1):
            score, revenue = self.score(month)[who], self.revenue[who, month + 1]
            ranks = np.argsort(np.argsort(score)), np.argsort(np.argsort(revenue))
            found[str(month)] = float(np.corrcoef(*ranks)[0, 1])
        return found
