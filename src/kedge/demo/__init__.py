"""The flights of 2013 through the whole loop."""
