"""A company that does not exist, with every table of the contract and the truth about it.

Example:
    >>> from pathlib import Path
    >>> from plumbline.simulate import Settings, simulate
    >>> truth = simulate(Settings(users=1000, days=60), Path("lake"))  # doctest: +SKIP
"""

from plumbline.simulate.engine import simulate, users_for
from plumbline.simulate.settings import Settings
from plumbline.simulate.truth import Truth

__all__ = ["Settings", "Truth", "simulate", "users_for"]
