"""Several detectors as one: members vote, an election says what their votes amount to."""
