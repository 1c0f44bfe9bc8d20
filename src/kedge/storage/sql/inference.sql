-- name: add_segment
-- A closed file of logged rows.
INSERT INTO kedge_inference_segment (id, endpoint, deployment_id, path, rows, first_at_ms, last_at_ms, created_ms)
VALUES (:id, :endpoint, :deployment_id, :path, :rows, :first_at_ms, :last_at_ms, :created_ms)

-- name: segments
-- Segments that overlap [start, end) of event time.
SELECT * FROM kedge_inference_segment
WHERE endpoint = :endpoint AND first_at_ms < :end_ms AND last_at_ms >= :start_ms
ORDER BY first_at_ms, id

-- name: watermark
-- The newest event time of an endpoint, and its rows.
SELECT max(last_at_ms) AS newest_ms, CAST(coalesce(sum(rows), 0) AS BIGINT) AS total_rows
FROM kedge_inference_segment WHERE endpoint = ?

-- name: has_label
-- Whether a row has a label already.
SELECT 1 FROM kedge_label WHERE endpoint = :endpoint AND request_id = :request_id AND row = :row

-- name: set_label
-- The truth about a row; a later one replaces the earlier.
INSERT INTO kedge_label (endpoint, request_id, row, label, at_ms)
VALUES (:endpoint, :request_id, :row, :label, :at_ms)
ON CONFLICT (endpoint, request_id, row) DO UPDATE SET label = excluded.label, at_ms = excluded.at_ms

-- name: raise_label_watermark
-- When the newest label became known; it never goes back.
INSERT INTO kedge_label_watermark (endpoint, at_ms) VALUES (:endpoint, :at_ms)
ON CONFLICT (endpoint) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > kedge_label_watermark.at_ms

-- name: labels
-- Labels of the requests whose ids follow.
SELECT request_id, row, label, at_ms FROM kedge_label WHERE endpoint = ? AND request_id IN

-- name: labels_order
-- The end of `labels`.
ORDER BY request_id, row

-- name: label_watermark
-- When the newest label became known.
SELECT at_ms FROM kedge_label_watermark WHERE endpoint = ?
