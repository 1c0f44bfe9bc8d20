"""Steps and pipelines: graphs traced from functions, cache keys, the scheduler, code capture."""
