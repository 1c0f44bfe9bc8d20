-- name: insert
-- A deployment as it was decided.
INSERT INTO kedge_deployment (id, endpoint, model_name, model_version, source, state, created_ms, alias, reason, live_ms,
    ended_ms, error, mlflow_run_id)
VALUES (:id, :endpoint, :model_name, :model_version, :source, :state, :created_ms, :alias, :reason, :live_ms, :ended_ms,
    :error, :mlflow_run_id)

-- name: supersede
-- What was wanted but never came to answer ends when something else is wanted.
UPDATE kedge_deployment SET state = 'retired', ended_ms = :now_ms
WHERE endpoint = :endpoint AND state IN ('pending', 'loading')

-- name: want
-- Make a deployment the wanted one; the first creates the endpoint.
INSERT INTO kedge_endpoint (name, created_ms, wanted, live) VALUES (:endpoint, :now_ms, :id, NULL)
ON CONFLICT (name) DO UPDATE SET wanted = excluded.wanted

-- name: get
-- One deployment.
SELECT * FROM kedge_deployment WHERE id = ?

-- name: mark
-- Move on; a deployment that failed or was retired has ended.
UPDATE kedge_deployment
SET state = :state, error = :error,
    live_ms = CASE WHEN :state = 'live' THEN coalesce(live_ms, :now_ms) ELSE live_ms END,
    ended_ms = CASE WHEN :state IN ('failed', 'retired') THEN :now_ms END
WHERE id = :id

-- name: retire_others
-- Whatever else was live on the endpoint is not any more.
UPDATE kedge_deployment SET state = 'retired', ended_ms = :now_ms
WHERE endpoint = :endpoint AND state = 'live' AND id <> :id

-- name: set_live
-- The endpoint's answering deployment.
UPDATE kedge_endpoint SET live = :id WHERE name = :endpoint

-- name: unset_live
-- A live deployment that failed or was retired answers no more.
UPDATE kedge_endpoint SET live = NULL WHERE name = :endpoint AND live = :id

-- name: endpoint
-- One endpoint.
SELECT * FROM kedge_endpoint WHERE name = ?

-- name: endpoints
-- All endpoints.
SELECT * FROM kedge_endpoint ORDER BY name

-- name: history
-- Deployments of an endpoint, newest first; ids sort by time of making.
SELECT * FROM kedge_deployment WHERE endpoint = ? ORDER BY created_ms DESC, id DESC LIMIT ?

-- name: minute
-- The counts so far of one deployment in one minute.
SELECT * FROM kedge_traffic WHERE endpoint = ? AND minute_ms = ? AND deployment_id = ?

-- name: set_minute
-- The counts of one deployment in one minute.
INSERT INTO kedge_traffic (endpoint, deployment_id, minute_ms, requests, rows, errors, latency_ms_sum,
    latency_ms_counts)
VALUES (:endpoint, :deployment_id, :minute_ms, :requests, :rows, :errors, :latency_ms_sum, :latency_ms_counts)
ON CONFLICT (endpoint, minute_ms, deployment_id) DO UPDATE SET requests = excluded.requests, rows = excluded.rows,
    errors = excluded.errors, latency_ms_sum = excluded.latency_ms_sum, latency_ms_counts = excluded.latency_ms_counts

-- name: traffic
-- Minutes of an endpoint, oldest first.
SELECT * FROM kedge_traffic WHERE endpoint = ? AND minute_ms >= ? ORDER BY minute_ms, deployment_id
