"""HTTP routes of the web process, one sub-room a protocol."""
