"""Checks and gates: a value against a rule, and the verdict over all of them."""
