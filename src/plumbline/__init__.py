"""Plumbline: an open analytics warehouse for AI products."""

__version__ = "0.3.0"
