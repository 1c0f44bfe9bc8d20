-- Tables of Kedge itself; MLflow's stand beside them in the same database. Times are milliseconds, UTC.

CREATE TABLE kedge_dataset_version (
    id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL,
    number INTEGER NOT NULL,
    content_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    files TEXT NOT NULL,
    columns TEXT NOT NULL,
    tag TEXT,
    message TEXT NOT NULL DEFAULT '',
    pipeline_run_id TEXT,
    UNIQUE (dataset, number)
) STRICT;
CREATE INDEX kedge_dataset_version_content ON kedge_dataset_version (dataset, content_id);
CREATE UNIQUE INDEX kedge_dataset_version_tag ON kedge_dataset_version (dataset, tag) WHERE tag IS NOT NULL;

CREATE TABLE kedge_dataset_use (
    pipeline_run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    dataset_version_id TEXT NOT NULL REFERENCES kedge_dataset_version (id),
    PRIMARY KEY (pipeline_run_id, step, dataset_version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX kedge_dataset_use_version ON kedge_dataset_use (dataset_version_id);

CREATE TABLE kedge_job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    lease_until_ms INTEGER,
    started_ms INTEGER,
    ended_ms INTEGER,
    result TEXT,
    error TEXT,
    unique_key TEXT
) STRICT;
CREATE INDEX kedge_job_open ON kedge_job (state, created_ms) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX kedge_job_unique ON kedge_job (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('queued', 'running');

CREATE TABLE kedge_pipeline_run (
    id TEXT PRIMARY KEY,
    pipeline TEXT NOT NULL,
    entry TEXT NOT NULL,
    project TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    started_ms INTEGER,
    ended_ms INTEGER,
    error TEXT,
    code_id TEXT,
    job_id TEXT,
    result TEXT
) STRICT;
CREATE INDEX kedge_pipeline_run_created ON kedge_pipeline_run (created_ms);
CREATE INDEX kedge_pipeline_run_pipeline ON kedge_pipeline_run (pipeline, created_ms);

CREATE TABLE kedge_step_run (
    run_id TEXT NOT NULL REFERENCES kedge_pipeline_run (id),
    name TEXT NOT NULL,
    idx INTEGER NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL,
    depends_on TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    cache_key TEXT,
    cache_note TEXT NOT NULL DEFAULT '',
    started_ms INTEGER,
    ended_ms INTEGER,
    output TEXT,
    log_object TEXT,
    error TEXT,
    PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE kedge_step_cache (
    key TEXT PRIMARY KEY,
    function TEXT NOT NULL,
    output TEXT NOT NULL,
    run_id TEXT NOT NULL,
    parts TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kedge_step_cache_function ON kedge_step_cache (function, created_ms);

CREATE TABLE kedge_code (
    id TEXT PRIMARY KEY,
    entry TEXT NOT NULL,
    files TEXT NOT NULL,
    git_commit TEXT,
    git_dirty INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE kedge_report (
    id TEXT PRIMARY KEY,
    gate TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    checks TEXT NOT NULL,
    pipeline_run_id TEXT,
    step TEXT,
    mlflow_run_id TEXT,
    model_name TEXT,
    model_version TEXT
) STRICT;
CREATE INDEX kedge_report_pipeline_run ON kedge_report (pipeline_run_id);
CREATE INDEX kedge_report_mlflow_run ON kedge_report (mlflow_run_id);

CREATE TABLE kedge_endpoint (
    name TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    wanted TEXT NOT NULL,
    live TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE kedge_deployment (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    model_name TEXT NOT NULL,
    model_version TEXT NOT NULL,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    alias TEXT,
    reason TEXT NOT NULL DEFAULT '',
    live_ms INTEGER,
    ended_ms INTEGER,
    error TEXT,
    mlflow_run_id TEXT
) STRICT;
CREATE INDEX kedge_deployment_endpoint ON kedge_deployment (endpoint, created_ms);
CREATE INDEX kedge_deployment_model ON kedge_deployment (model_name, model_version);

CREATE TABLE kedge_traffic (
    endpoint TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    minute_ms INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    latency_ms_sum REAL NOT NULL,
    latency_ms_counts TEXT NOT NULL,
    PRIMARY KEY (endpoint, minute_ms, deployment_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE kedge_inference_segment (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    path TEXT NOT NULL,
    rows INTEGER NOT NULL,
    first_at_ms INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kedge_inference_segment_time ON kedge_inference_segment (endpoint, first_at_ms, last_at_ms);

CREATE TABLE kedge_label (
    endpoint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    row INTEGER NOT NULL,
    label REAL NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (endpoint, request_id, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE kedge_label_watermark (
    endpoint TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE kedge_monitor (
    name TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    definition TEXT NOT NULL,
    detector_state BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX kedge_monitor_endpoint ON kedge_monitor (endpoint);

CREATE TABLE kedge_monitor_run (
    id TEXT PRIMARY KEY,
    monitor TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    kind TEXT NOT NULL,
    window_start_ms INTEGER NOT NULL,
    window_end_ms INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    deployment_id TEXT,
    model_name TEXT,
    model_version TEXT,
    reference TEXT NOT NULL,
    drift_share REAL,
    metrics TEXT NOT NULL,
    detectors TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    UNIQUE (monitor, window_start_ms, window_end_ms)
) STRICT;
CREATE INDEX kedge_monitor_run_endpoint ON kedge_monitor_run (endpoint, window_start_ms);

CREATE TABLE kedge_monitor_result (
    run_id TEXT NOT NULL REFERENCES kedge_monitor_run (id),
    column_name TEXT NOT NULL,
    detector TEXT NOT NULL,
    params TEXT NOT NULL,
    statistic REAL,
    threshold REAL,
    drift INTEGER NOT NULL,
    p_value REAL,
    bins TEXT NOT NULL,
    reference TEXT NOT NULL,
    current TEXT NOT NULL,
    PRIMARY KEY (run_id, column_name, detector)
) STRICT, WITHOUT ROWID;

CREATE TABLE kedge_alert (
    id TEXT PRIMARY KEY,
    monitor TEXT NOT NULL,
    monitor_run_id TEXT NOT NULL REFERENCES kedge_monitor_run (id),
    endpoint TEXT NOT NULL,
    message TEXT NOT NULL,
    state TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    event_ms INTEGER NOT NULL,
    model_name TEXT,
    model_version TEXT,
    acknowledged_ms INTEGER,
    pipeline_run_id TEXT
) STRICT;
CREATE INDEX kedge_alert_state ON kedge_alert (state, created_ms);
CREATE INDEX kedge_alert_endpoint ON kedge_alert (endpoint, created_ms);

CREATE TABLE kedge_trigger (
    name TEXT PRIMARY KEY,
    monitor TEXT NOT NULL,
    definition TEXT NOT NULL,
    last_fired_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX kedge_trigger_monitor ON kedge_trigger (monitor);
