-- name: active_run
-- What a write to a run has to know of it.
SELECT lifecycle_stage, experiment_id, status, end_time FROM runs WHERE run_uuid = ?

-- name: stages_among
-- Whether the runs whose ids follow take changes.
SELECT run_uuid, lifecycle_stage FROM runs WHERE run_uuid IN

-- name: insert_run
-- A new run.
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
    deleted_time, source_version, lifecycle_stage, artifact_uri, experiment_id)
VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, NULL, NULL, '', 'active', ?, ?)

-- name: update_run
-- Status, end and name; NULL leaves what is there.
UPDATE runs SET status = coalesce(?, status), end_time = coalesce(?, end_time), name = coalesce(?, name)
WHERE run_uuid = ?

-- name: move_run
-- Delete or restore.
UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE run_uuid = ?

-- name: move_runs
-- Delete or restore all runs of an experiment.
UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE experiment_id = ?

-- name: has_assessments
-- Whether traces are assessed here at all: deleting a run has to delete its assessments.
SELECT 1 FROM assessments LIMIT 1

-- name: insert_metric
-- A point of a history; the same point again is nothing new.
INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: upsert_latest
-- The newest point by step, then time, then value.
INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key, run_uuid) DO UPDATE
SET value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
WHERE (excluded.step, excluded.timestamp, excluded.value)
    > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)

-- name: insert_model_metric
-- A point that also stands with a logged model.
INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, experiment_id,
    run_id, dataset_uuid, dataset_name, dataset_digest)
VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?) ON CONFLICT DO NOTHING

-- name: params_among
-- Parameters of a run among the keys that follow.
SELECT key, value FROM params WHERE run_uuid = ? AND key IN

-- name: insert_param
-- A parameter.
INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)

-- name: upsert_tag
-- A tag, in place of one with the same key.
INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)
ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value

-- name: delete_tag
-- A tag of a run.
DELETE FROM tags WHERE run_uuid = ? AND key = ?

-- name: run_info
-- One run, deleted or not.
SELECT run_uuid, name, experiment_id, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri
FROM runs WHERE run_uuid = ?

-- name: infos_among
-- The runs whose ids follow.
SELECT run_uuid, name, experiment_id, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri
FROM runs WHERE run_uuid IN

-- name: latest_among
-- Latest metrics of the runs whose ids follow.
SELECT run_uuid, key, value, timestamp, step, is_nan FROM latest_metrics WHERE run_uuid IN

-- name: run_params_among
-- Parameters of the runs whose ids follow.
SELECT run_uuid, key, value FROM params WHERE run_uuid IN

-- name: run_tags_among
-- Tags of the runs whose ids follow.
SELECT run_uuid, key, value FROM tags WHERE run_uuid IN

-- name: datasets_among
-- Datasets read by the runs whose ids follow, a row a tag.
SELECT i.destination_id AS run_uuid, d.dataset_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source,
    d.dataset_schema, d.dataset_profile, t.name AS tag, t.value
FROM inputs AS i JOIN datasets AS d ON d.dataset_uuid = i.source_id
LEFT JOIN input_tags AS t ON t.input_uuid = i.input_uuid
WHERE i.destination_type = 'RUN' AND i.destination_id IN

-- name: models_among
-- Logged models that the runs whose ids follow read or made.
SELECT source_id AS run_uuid, source_type, destination_id, step FROM inputs
WHERE ((source_type = 'RUN_INPUT' AND destination_type = 'MODEL_INPUT')
    OR (source_type = 'RUN_OUTPUT' AND destination_type = 'MODEL_OUTPUT')) AND source_id IN

-- name: history
-- A history by time.
SELECT value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? AND key = ?
ORDER BY timestamp, step, value LIMIT ? OFFSET ?

-- name: histories
-- Histories of several runs; their ids follow.
SELECT run_uuid, value, timestamp, step, is_nan FROM metrics WHERE key = ? AND run_uuid IN

-- name: histories_order
-- The end of `histories`.
ORDER BY run_uuid, timestamp, step, value LIMIT ?

-- name: history_steps
-- The steps of all points between two, read from an index alone.
SELECT step FROM metrics WHERE run_uuid = ? AND key = ? AND step >= ? AND step <= ? ORDER BY step

-- name: at_steps
-- Points of the steps that follow.
SELECT value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? AND key = ? AND step IN

-- name: at_steps_order
-- The end of `at_steps`.
ORDER BY step, timestamp, value, is_nan

-- name: sampled
-- The first point of each of evenly sized groups, as NTILE makes them, and the last of all.
SELECT value, timestamp, step, is_nan FROM (
    SELECT value, timestamp, step, is_nan,
        row_number() OVER (ORDER BY step, timestamp, value, is_nan) - 1 AS place
    FROM metrics WHERE run_uuid = ? AND key = ? AND step >= ? AND step <= ?
) AS ordered
WHERE place IN

-- name: sampled_order
-- The end of `sampled`.
ORDER BY place

-- name: summaries_among
-- Datasets that runs read, each with what they were read as, of the experiments whose ids follow.
SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value
FROM datasets AS d JOIN inputs AS i ON i.source_id = d.dataset_uuid
LEFT JOIN input_tags AS t ON t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context'
WHERE d.experiment_id IN

-- name: summaries_end
-- The end of `summaries_among`.
LIMIT 1000

-- name: run_tag
-- One tag of a run.
SELECT value FROM tags WHERE run_uuid = ? AND key = ?

-- name: dataset
-- A dataset that an experiment knows.
SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?

-- name: insert_dataset
-- A dataset.
INSERT INTO datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, dataset_schema,
    dataset_profile)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: has_input
-- Whether there is an edge.
SELECT 1 FROM inputs WHERE source_type = ? AND source_id = ? AND destination_type = ? AND destination_id = ?

-- name: insert_input
-- An edge from what was read to who read it, or from who made to what was made.
INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: insert_input_tag
-- A tag of an edge.
INSERT INTO input_tags (input_uuid, name, value) VALUES (?, ?, ?)

-- name: model_metric
-- What stands with a logged model at a step and time of a run.
SELECT metric_value, dataset_name, dataset_digest FROM logged_model_metrics
WHERE model_id = ? AND metric_name = ? AND metric_timestamp_ms = ? AND metric_step = ? AND run_id = ?
