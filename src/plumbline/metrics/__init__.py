"""The metric registry: what each number means, and which one column of which mart holds it."""

from plumbline.metrics.registry import Metric, find, metrics

__all__ = ["Metric", "find", "metrics"]
