-- name: insert_run
-- A run.
INSERT INTO kedge_pipeline_run (id, pipeline, entry, project, params, state, created_ms, trigger, started_ms, ended_ms,
    error, code_id, job_id, result)
VALUES (:id, :pipeline, :entry, :project, :params, :state, :created_ms, :trigger, :started_ms, :ended_ms, :error,
    :code_id, :job_id, :result)

-- name: update_run
-- What changes of a run.
UPDATE kedge_pipeline_run SET state = :state, started_ms = :started_ms, ended_ms = :ended_ms, error = :error,
    code_id = :code_id, job_id = :job_id, result = :result
WHERE id = :id

-- name: get_run
-- One run.
SELECT * FROM kedge_pipeline_run WHERE id = ?

-- name: runs
-- Newest first.
SELECT * FROM kedge_pipeline_run WHERE CAST(:pipeline AS TEXT) IS NULL OR pipeline = :pipeline
ORDER BY created_ms DESC, id DESC LIMIT :limit

-- name: open_runs
-- Runs that have not ended.
SELECT * FROM kedge_pipeline_run WHERE state IN ('queued', 'running') ORDER BY created_ms, id

-- name: held
-- Whether a job is still in the hands of the one that claimed it with this fence.
SELECT 1 FROM kedge_job WHERE id = ? AND fence = ? AND state = 'running'

-- name: save_step
-- A step as it is now.
INSERT INTO kedge_step_run (run_id, name, idx, function, state, depends_on, attempt, cache_key, cache_note, started_ms,
    ended_ms, output, log_object, error)
VALUES (:run_id, :name, :index, :function, :state, :depends_on, :attempt, :cache_key, :cache_note, :started_ms,
    :ended_ms, :output, :log_object, :error)
ON CONFLICT (run_id, name) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,
    cache_key = excluded.cache_key, cache_note = excluded.cache_note, started_ms = excluded.started_ms,
    ended_ms = excluded.ended_ms, output = excluded.output, log_object = excluded.log_object, error = excluded.error

-- name: steps
-- Steps of a run in the order of their calls.
SELECT run_id, name, idx AS "index", function, state, depends_on, attempt, cache_key, cache_note, started_ms, ended_ms,
    output, log_object, error
FROM kedge_step_run WHERE run_id = ? ORDER BY idx

-- name: save_code
-- A snapshot; the same code is the same id.
INSERT INTO kedge_code (id, entry, files, git_commit, git_dirty)
VALUES (:id, :entry, :files, :git_commit, :git_dirty) ON CONFLICT DO NOTHING

-- name: get_code
-- One snapshot.
SELECT * FROM kedge_code WHERE id = ?

-- name: cached
-- What a key remembers.
SELECT * FROM kedge_step_cache WHERE key = ?

-- name: last_cached
-- The newest entry of a function.
SELECT * FROM kedge_step_cache WHERE function = ? ORDER BY created_ms DESC, key LIMIT 1

-- name: remember
-- The output under a key.
INSERT INTO kedge_step_cache (key, function, output, run_id, parts, created_ms)
VALUES (:key, :function, :output, :run_id, :parts, :created_ms)
ON CONFLICT (key) DO UPDATE SET function = excluded.function, output = excluded.output, run_id = excluded.run_id,
    parts = excluded.parts, created_ms = excluded.created_ms
