"""MLflow's routes, passed on to MLflow's own server: what is on the list passes, what is not does not."""
