"""Detectors that compare a window with a reference."""
