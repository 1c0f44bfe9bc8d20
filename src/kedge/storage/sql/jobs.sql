-- name: open_unique
-- The queued or running job with a unique key.
SELECT * FROM kedge_job WHERE unique_key = ? AND state IN ('queued', 'running')

-- name: insert
-- A queued job.
INSERT INTO kedge_job (id, kind, payload, state, created_ms, unique_key) VALUES (?, ?, ?, 'queued', ?, ?)

-- name: next
-- The oldest job that is queued, or whose lease has run out, of the kinds that follow.
SELECT * FROM kedge_job
WHERE (state = 'queued' OR (state = 'running' AND lease_until_ms < ?)) AND kind IN

-- name: next_order
-- The end of `next`.
ORDER BY created_ms, id LIMIT 1

-- name: take
-- Give a job to a worker.
UPDATE kedge_job SET state = 'running', worker = :worker, lease_until_ms = :lease_until_ms, fence = fence + 1,
    attempts = attempts + 1, started_ms = coalesce(started_ms, :now_ms)
WHERE id = :id

-- name: renew
-- Extend the lease of the one that holds it.
UPDATE kedge_job SET lease_until_ms = ? WHERE id = ? AND fence = ? AND state = 'running'

-- name: finish
-- The end of a job, from the one that holds it.
UPDATE kedge_job SET state = :state, result = :result, error = :error, ended_ms = :now_ms, lease_until_ms = NULL
WHERE id = :id AND fence = :fence AND state = 'running'

-- name: release
-- Back into the queue, from the one that holds it; not counted as an attempt.
UPDATE kedge_job SET state = 'queued', attempts = attempts - 1, worker = NULL, lease_until_ms = NULL
WHERE id = ? AND fence = ? AND state = 'running'

-- name: cancel
-- The fence moves on, so that the one that holds the job cannot finish it.
UPDATE kedge_job SET state = 'cancelled', ended_ms = ?, fence = fence + 1, lease_until_ms = NULL
WHERE id = ? AND state IN ('queued', 'running')

-- name: get
-- One job.
SELECT * FROM kedge_job WHERE id = ?

-- name: recent
-- Newest first.
SELECT * FROM kedge_job ORDER BY created_ms DESC, id DESC LIMIT ?
