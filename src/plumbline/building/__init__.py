"""The main job: land, judge, build and test, in one idempotent command."""
