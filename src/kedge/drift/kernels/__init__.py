"""Compiled loops over flat arrays; each plain meaning stands in its docstring."""
