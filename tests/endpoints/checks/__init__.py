"""Checks of the corrections, a module for each area; `check_corrections.py` runs them all."""
