"""Automatic scores of answers: deterministic rules over texts, and the run that scores what is new."""

from plumbline.answers.scorer import SCORER_VERSION, Scores, score
from plumbline.answers.scoring import Scored, score_answers

__all__ = ["SCORER_VERSION", "Scored", "Scores", "score", "score_answers"]
