"""Detectors that take one value after the other."""
