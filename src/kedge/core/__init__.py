"""Ids, clock, errors, and the seams: the values that rooms exchange and the Protocols that stores fulfil."""
