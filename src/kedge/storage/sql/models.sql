-- name: insert_logged
-- A logged model.
INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
    last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id, status_message)
VALUES (?, ?, ?, ?, ?, ?, 1, 'active', ?, ?, NULL)

-- name: logged_among
-- The logged models whose ids follow.
SELECT model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,
    model_type, source_run_id, status_message, lifecycle_stage
FROM logged_models WHERE model_id IN

-- name: logged_tags_among
-- Their tags.
SELECT model_id, tag_key, tag_value FROM logged_model_tags WHERE model_id IN

-- name: logged_params_among
-- Their parameters.
SELECT model_id, param_key, param_value FROM logged_model_params WHERE model_id IN

-- name: logged_metrics_among
-- Their metrics.
SELECT model_id, metric_name, metric_value, metric_timestamp_ms, metric_step, dataset_name, dataset_digest, run_id
FROM logged_model_metrics WHERE model_id IN

-- name: insert_logged_param
-- A parameter.
INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value) VALUES (?, ?, ?, ?)

-- name: upsert_logged_tag
-- A tag, in place of one with the same key.
INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) VALUES (?, ?, ?, ?)
ON CONFLICT (model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value

-- name: delete_logged_tag
-- A tag.
DELETE FROM logged_model_tags WHERE model_id = ? AND tag_key = ?

-- name: update_logged
-- Status and deletion.
UPDATE logged_models SET status = coalesce(?, status), lifecycle_stage = coalesce(?, lifecycle_stage),
    last_updated_timestamp_ms = ? WHERE model_id = ?

-- name: insert_model
-- A registered model, unless the name is taken.
INSERT INTO registered_models (name, creation_time, last_updated_time, description, workspace)
VALUES (?, ?, ?, ?, 'default') ON CONFLICT DO NOTHING

-- name: model
-- One registered model.
SELECT name, creation_time, last_updated_time, description FROM registered_models
WHERE workspace = 'default' AND name = ?

-- name: touch_model
-- It has changed.
UPDATE registered_models SET last_updated_time = ? WHERE workspace = 'default' AND name = ?

-- name: model_tags
-- Its tags.
SELECT key, value FROM registered_model_tags WHERE workspace = 'default' AND name = ?

-- name: aliases
-- Its aliases.
SELECT alias, version FROM registered_model_aliases WHERE workspace = 'default' AND name = ?

-- name: latest
-- The newest version of each stage.
SELECT name, version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id, run_link,
    status, status_message
FROM model_versions AS v
WHERE workspace = 'default' AND name = ? AND current_stage <> 'Deleted_Internal' AND version = (
    SELECT max(version) FROM model_versions AS w
    WHERE w.workspace = v.workspace AND w.name = v.name AND w.current_stage = v.current_stage)

-- name: version
-- One version.
SELECT name, version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id, run_link,
    status, status_message
FROM model_versions
WHERE workspace = 'default' AND name = ? AND version = ? AND current_stage <> 'Deleted_Internal'

-- name: location
-- Where its artifacts lie.
SELECT coalesce(nullif(storage_location, ''), source) FROM model_versions
WHERE workspace = 'default' AND name = ? AND version = ? AND current_stage <> 'Deleted_Internal'

-- name: version_tags
-- Its tags.
SELECT key, value FROM model_version_tags WHERE workspace = 'default' AND name = ? AND version = ?

-- name: newest
-- The highest number ever given.
SELECT max(version) FROM model_versions WHERE workspace = 'default' AND name = ?

-- name: insert_version
-- A version.
INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, user_id, current_stage, source,
    run_id, status, status_message, run_link, storage_location, workspace)
VALUES (?, ?, ?, ?, ?, NULL, 'None', ?, ?, 'READY', NULL, ?, ?, 'default')

-- name: describe_version
-- Another description.
UPDATE model_versions SET description = ?, last_updated_time = ?
WHERE workspace = 'default' AND name = ? AND version = ?

-- name: upsert_model_tag
-- A tag of a model.
INSERT INTO registered_model_tags (key, value, name, workspace) VALUES (?, ?, ?, 'default')
ON CONFLICT (workspace, key, name) DO UPDATE SET value = excluded.value

-- name: delete_model_tag
-- A tag of a model.
DELETE FROM registered_model_tags WHERE workspace = 'default' AND name = ? AND key = ?

-- name: upsert_version_tag
-- A tag of a version.
INSERT INTO model_version_tags (key, value, name, version, workspace) VALUES (?, ?, ?, ?, 'default')
ON CONFLICT (workspace, key, name, version) DO UPDATE SET value = excluded.value

-- name: delete_version_tag
-- A tag of a version.
DELETE FROM model_version_tags WHERE workspace = 'default' AND name = ? AND version = ? AND key = ?

-- name: upsert_alias
-- An alias, in place of where it pointed.
INSERT INTO registered_model_aliases (alias, version, name, workspace) VALUES (?, ?, ?, 'default')
ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version

-- name: delete_alias
-- An alias.
DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?

-- name: alias
-- Where an alias points.
SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?

-- name: webhooks
-- Whether somebody listens: MLflow's own server tells them.
SELECT 1 FROM webhooks LIMIT 1

-- name: rename_model
-- Another name; versions, tags and aliases follow by their keys.
UPDATE registered_models SET name = ?, last_updated_time = ? WHERE workspace = 'default' AND name = ?

-- name: touch_versions
-- All versions of a model have changed.
UPDATE model_versions SET last_updated_time = ? WHERE workspace = 'default' AND name = ?

-- name: describe_model
-- Another description.
UPDATE registered_models SET description = ?, last_updated_time = ? WHERE workspace = 'default' AND name = ?

-- name: delete_version_tags
-- Tags of all versions of a model.
DELETE FROM model_version_tags WHERE workspace = 'default' AND name = ?

-- name: delete_versions
-- All versions of a model.
DELETE FROM model_versions WHERE workspace = 'default' AND name = ?

-- name: delete_model_tags
-- All tags of a model.
DELETE FROM registered_model_tags WHERE workspace = 'default' AND name = ?

-- name: delete_aliases
-- All aliases of a model.
DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ?

-- name: delete_model
-- The model.
DELETE FROM registered_models WHERE workspace = 'default' AND name = ?

-- name: delete_version
-- A version keeps its number and loses what it says.
UPDATE model_versions SET current_stage = 'Deleted_Internal', last_updated_time = ?, description = NULL, user_id = NULL,
    source = 'REDACTED-SOURCE-PATH', run_id = 'REDACTED-RUN-ID', run_link = 'REDACTED-RUN-LINK', status_message = NULL
WHERE workspace = 'default' AND name = ? AND version = ?

-- name: delete_aliases_of
-- Aliases of a version.
DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND version = ?

-- name: archive
-- Versions of a stage but one are archived.
UPDATE model_versions SET current_stage = 'Archived', last_updated_time = ?
WHERE workspace = 'default' AND name = ? AND version <> ? AND current_stage = ?

-- name: move_stage
-- Into a stage.
UPDATE model_versions SET current_stage = ?, last_updated_time = ?
WHERE workspace = 'default' AND name = ? AND version = ?
