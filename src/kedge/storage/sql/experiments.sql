-- name: insert
-- A new experiment, unless the name is taken.
INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace)
VALUES (?, ?, 'active', ?, ?, 'default') ON CONFLICT DO NOTHING RETURNING experiment_id

-- name: insert_default
-- The experiment that runs without one belong to.
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time,
    workspace)
VALUES (0, 'Default', ?, 'active', ?, ?, 'default') ON CONFLICT DO NOTHING

-- name: locate
-- Where the artifacts of a new experiment lie.
UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?

-- name: rename
-- Another name.
UPDATE experiments SET name = ?, last_update_time = ? WHERE experiment_id = ?

-- name: name_taken
-- Whether another experiment has the name.
SELECT 1 FROM experiments WHERE workspace = 'default' AND name = ? AND experiment_id <> ?

-- name: move
-- Delete or restore.
UPDATE experiments SET lifecycle_stage = ?, last_update_time = ? WHERE experiment_id = ?

-- name: upsert_tag
-- A tag, in place of one with the same key.
INSERT INTO experiment_tags (key, value, experiment_id) VALUES (?, ?, ?)
ON CONFLICT (key, experiment_id) DO UPDATE SET value = excluded.value

-- name: delete_tag
-- A tag.
DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?

-- name: one
-- By id.
SELECT experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time
FROM experiments WHERE experiment_id = ?

-- name: named
-- By name.
SELECT experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time
FROM experiments WHERE workspace = 'default' AND name = ?

-- name: some
-- All; conditions follow.
SELECT e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time
FROM experiments AS e WHERE e.workspace = 'default'

-- name: tags_among
-- Tags of the experiments whose ids follow.
SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id IN
