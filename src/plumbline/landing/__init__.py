"""Landing: raw files become typed Parquet, every line accepted or kept with its reason."""

from plumbline.landing.lake import prepare_lake
from plumbline.landing.report import FileReport, LandingReport
from plumbline.landing.run import inbox_path, land

__all__ = ["FileReport", "LandingReport", "inbox_path", "land", "prepare_lake"]
