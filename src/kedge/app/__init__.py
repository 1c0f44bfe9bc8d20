"""Configuration read once, wiring, processes and the command line; the only room that sees storage and engines."""
