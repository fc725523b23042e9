"""The thresholds of the decision rule that the gates are measured with, and the rule is tried with."""

from __future__ import annotations

from plumbline.statistics.decisions import Thresholds

ADOPTED = Thresholds(
    imbalance_p=0.001,
    multi_exposed_share=0.01,
    multi_exposed_users=10,
    full_days=7,
    users=100,
    events=5,
    alpha_anytime=0.01,
    alpha_end=0.04,
    local_fdr=0.05,
    probability_beyond=0.95,
    probability_of_best=0.95,
    loss_share=0.0025,
    probability_equivalent=0.95,
)
