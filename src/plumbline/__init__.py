"""Plumbline: an open analytics warehouse for AI products."""

__version__ = "0.2.0"
