"""``plumbline score-answers``."""

from __future__ import annotations

from pathlib import Path

import click

from plumbline.answers.scorer import SCORER_VERSION
from plumbline.answers.scoring import score_answers
from plumbline.project import lake_path


@click.command(name="score-answers")
@click.option(
    "--lake", type=click.Path(path_type=Path), help="Typed lake [PLUMBLINE_LAKE, data/lake]."
)
def command(lake: Path | None) -> None:
    """Score new answers by fixed rules: support by the source, numbers, citations, refusals.

    Scores go into the lake as rows of llm_auto_scores; answers scored before by this version are left alone.
    """
    place = lake or lake_path()
    done = score_answers(place)
    if done.path is None:
        click.echo(f"No new answers to score ({SCORER_VERSION}). Lake: {place}")
    else:
        click.echo(f"{done.answers:,} answers scored ({SCORER_VERSION}): {done.path}")
