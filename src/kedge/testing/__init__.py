"""Conformance suites that are shipped: what every detector must hold, for ours and for yours."""
