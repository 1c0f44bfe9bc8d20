"""Experiments, runs and metrics: MLflow's data model and rules, without MLflow."""
