"""Hypothesis without deadlines: the first call into Arrow, or a busy machine, says nothing about the code."""

from hypothesis import settings

settings.register_profile("monitoring", deadline=None, max_examples=60)
settings.load_profile("monitoring")
