"""The seams implemented: SQL on SQLite, objects in a folder."""
