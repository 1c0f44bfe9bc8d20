"""Pages: services -> frozen page struct -> template."""
