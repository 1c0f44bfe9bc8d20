-- name: runs
-- Active runs that match; an ORDER BY block and `page` follow.
SELECT r.run_uuid, r.experiment_id, e.name AS experiment, r.name, r.status, r.start_time, r.end_time, r.user_id,
    r.artifact_uri
FROM runs AS r JOIN experiments AS e ON e.experiment_id = r.experiment_id
WHERE r.lifecycle_stage = 'active'
    AND (:status = '' OR r.status = :status)
    AND (:search = '' OR lower(r.name) LIKE lower(:search) ESCAPE '\' OR lower(e.name) LIKE lower(:search) ESCAPE '\'
        OR lower(r.run_uuid) LIKE lower(:search) ESCAPE '\'
        OR EXISTS (SELECT 1 FROM tags AS t WHERE t.run_uuid = r.run_uuid AND lower(t.value) LIKE lower(:search) ESCAPE '\'))

-- name: count_runs
-- How many active runs match.
SELECT count(*) AS found
FROM runs AS r JOIN experiments AS e ON e.experiment_id = r.experiment_id
WHERE r.lifecycle_stage = 'active'
    AND (:status = '' OR r.status = :status)
    AND (:search = '' OR lower(r.name) LIKE lower(:search) ESCAPE '\' OR lower(e.name) LIKE lower(:search) ESCAPE '\'
        OR lower(r.run_uuid) LIKE lower(:search) ESCAPE '\'
        OR EXISTS (SELECT 1 FROM tags AS t WHERE t.run_uuid = r.run_uuid AND lower(t.value) LIKE lower(:search) ESCAPE '\'))

-- name: page
-- A window of an ordered list.
LIMIT :limit OFFSET :offset

-- name: order_start
-- Oldest first.
ORDER BY r.start_time ASC NULLS LAST, r.run_uuid

-- name: order_start_descending
-- Newest first.
ORDER BY r.start_time DESC NULLS LAST, r.run_uuid

-- name: order_name
-- By name.
ORDER BY lower(r.name) ASC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_name_descending
-- By name, backwards.
ORDER BY lower(r.name) DESC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_status
-- By status.
ORDER BY r.status ASC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_status_descending
-- By status, backwards.
ORDER BY r.status DESC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_experiment
-- By the experiment's name.
ORDER BY lower(e.name) ASC, r.start_time DESC, r.run_uuid

-- name: order_experiment_descending
-- By the experiment's name, backwards.
ORDER BY lower(e.name) DESC, r.start_time DESC, r.run_uuid

-- name: order_duration
-- Shortest first; runs that have not ended come last.
ORDER BY r.end_time - r.start_time ASC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_duration_descending
-- Longest first; runs that have not ended come last.
ORDER BY r.end_time - r.start_time DESC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_metric
-- Smallest latest value of a metric first; runs without it come last.
ORDER BY (SELECT m.value FROM latest_metrics AS m WHERE m.key = :metric AND m.run_uuid = r.run_uuid AND NOT m.is_nan)
    ASC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: order_metric_descending
-- Largest latest value of a metric first; runs without it come last.
ORDER BY (SELECT m.value FROM latest_metrics AS m WHERE m.key = :metric AND m.run_uuid = r.run_uuid AND NOT m.is_nan)
    DESC NULLS LAST, r.start_time DESC, r.run_uuid

-- name: get_run
-- One run, deleted or not.
SELECT r.run_uuid, r.experiment_id, e.name AS experiment, r.name, r.status, r.start_time, r.end_time, r.user_id,
    r.artifact_uri
FROM runs AS r JOIN experiments AS e ON e.experiment_id = r.experiment_id WHERE r.run_uuid = ?

-- name: runs_of_pipeline
-- Active runs that a pipeline run made, oldest first.
SELECT r.run_uuid, r.experiment_id, e.name AS experiment, r.name, r.status, r.start_time, r.end_time, r.user_id,
    r.artifact_uri
FROM tags AS t JOIN runs AS r ON r.run_uuid = t.run_uuid JOIN experiments AS e ON e.experiment_id = r.experiment_id
WHERE t.key = 'kedge.pipeline_run' AND t.value = ? AND r.lifecycle_stage = 'active'
ORDER BY r.start_time, r.run_uuid

-- name: metrics
-- Latest metrics of the runs whose ids follow.
SELECT run_uuid, key, value, is_nan FROM latest_metrics WHERE run_uuid IN

-- name: params
-- Parameters of the runs whose ids follow.
SELECT run_uuid, key, value FROM params WHERE run_uuid IN

-- name: tags
-- Tags of the runs whose ids follow.
SELECT run_uuid, key, value FROM tags WHERE run_uuid IN

-- name: metric_history
-- Every value of a metric of a run.
SELECT step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ? AND key = ? ORDER BY step, timestamp

-- name: models
-- Registered models with the number of their versions.
SELECT m.name, m.creation_time, m.last_updated_time, m.description, count(v.version) AS versions,
    max(v.version) AS latest
FROM registered_models AS m
LEFT JOIN model_versions AS v
    ON v.workspace = m.workspace AND v.name = m.name AND v.current_stage <> 'Deleted_Internal'
WHERE m.workspace = 'default'
GROUP BY m.workspace, m.name ORDER BY lower(m.name)

-- name: has_model
-- Whether a model is registered.
SELECT 1 FROM registered_models WHERE workspace = 'default' AND name = ?

-- name: aliases
-- Aliases of one model, or of all when the name is NULL.
SELECT name, alias, version FROM registered_model_aliases
WHERE workspace = 'default' AND (CAST(:name AS TEXT) IS NULL OR name = :name) ORDER BY alias

-- name: versions
-- Versions of a model, newest first.
SELECT name, version, creation_time, run_id, source, storage_location, status, description FROM model_versions
WHERE workspace = 'default' AND current_stage <> 'Deleted_Internal' AND name = ? ORDER BY version DESC

-- name: versions_of_run
-- Versions that a run registered.
SELECT name, version, creation_time, run_id, source, storage_location, status, description FROM model_versions
WHERE workspace = 'default' AND current_stage <> 'Deleted_Internal' AND run_id = ? ORDER BY name, version DESC

-- name: version_tags
-- Tags of all versions of a model.
SELECT version, key, value FROM model_version_tags WHERE workspace = 'default' AND name = ? ORDER BY key

-- name: model_location
-- Where the files of a logged model lie.
SELECT artifact_location FROM logged_models WHERE model_id = ?

-- name: run_location
-- Where the artifacts of a run lie.
SELECT artifact_uri FROM runs WHERE run_uuid = ?
