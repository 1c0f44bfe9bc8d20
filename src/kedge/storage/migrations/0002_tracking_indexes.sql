-- Indexes that MLflow's tables lack: runs of an experiment by time, and values of a key across runs.
CREATE INDEX IF NOT EXISTS kedge_runs_by_experiment ON runs (experiment_id, lifecycle_stage, start_time DESC, run_uuid);
CREATE INDEX IF NOT EXISTS kedge_latest_metrics_by_value ON latest_metrics (key, is_nan, value, run_uuid);
CREATE INDEX IF NOT EXISTS kedge_params_by_value ON params (key, value, run_uuid);
CREATE INDEX IF NOT EXISTS kedge_tags_by_value ON tags (key, value, run_uuid);
