-- name: same
-- The version with this content and, where one is given, this tag; the newest where there are several.
SELECT * FROM kedge_dataset_version
WHERE dataset = :dataset AND content_id = :content_id AND (CAST(:tag AS TEXT) IS NULL OR tag = :tag)
ORDER BY number DESC LIMIT 1

-- name: tagged
-- The version that bears a tag.
SELECT * FROM kedge_dataset_version WHERE dataset = ? AND tag = ?

-- name: untag
-- A tag is on one version at a time.
UPDATE kedge_dataset_version SET tag = NULL WHERE dataset = ? AND tag = ?

-- name: next_number
-- The number after the newest.
SELECT coalesce(max(number), 0) + 1 FROM kedge_dataset_version WHERE dataset = ?

-- name: insert
-- A version.
INSERT INTO kedge_dataset_version (id, dataset, number, content_id, created_ms, rows, size_bytes, files, columns, tag,
    message, pipeline_run_id)
VALUES (:id, :dataset, :number, :content_id, :created_ms, :rows, :size_bytes, :files, :columns, :tag, :message,
    :pipeline_run_id)

-- name: by_id
-- One version.
SELECT * FROM kedge_dataset_version WHERE id = ?

-- name: by_number
-- One version of a dataset by its number.
SELECT * FROM kedge_dataset_version WHERE dataset = ? AND number = ?

-- name: by_prefix
-- Versions whose id or content id begins so.
SELECT * FROM kedge_dataset_version
WHERE dataset = :dataset AND (substr(id, 1, :length) = :prefix OR substr(content_id, 1, :length) = :prefix)
ORDER BY number DESC LIMIT 2

-- name: versions
-- Newest first.
SELECT * FROM kedge_dataset_version WHERE dataset = ? ORDER BY number DESC

-- name: datasets
-- All datasets, with what their newest version holds.
SELECT v.dataset AS name, v.number AS versions, v.rows, v.size_bytes, v.created_ms AS updated_ms, v.tag AS latest_tag,
    (SELECT min(f.created_ms) FROM kedge_dataset_version f WHERE f.dataset = v.dataset) AS created_ms
FROM kedge_dataset_version v
JOIN (SELECT dataset, max(number) AS number FROM kedge_dataset_version GROUP BY dataset) n USING (dataset, number)
ORDER BY v.dataset

-- name: use
-- That a step read a version.
INSERT INTO kedge_dataset_use (pipeline_run_id, step, dataset_version_id)
VALUES (:pipeline_run_id, :step, :dataset_version_id) ON CONFLICT DO NOTHING

-- name: uses_of_version
-- Who read a version.
SELECT * FROM kedge_dataset_use WHERE dataset_version_id = ? ORDER BY pipeline_run_id, step

-- name: uses_of_run
-- What a run read.
SELECT * FROM kedge_dataset_use WHERE pipeline_run_id = ? ORDER BY step, dataset_version_id
