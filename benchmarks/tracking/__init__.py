"""Tracking under load: Kedge beside `mlflow server`, on the same machine and the same data (`make bench-tracking`)."""
