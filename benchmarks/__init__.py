"""Measured claims, rerunnable by one command: ``make bench``."""
