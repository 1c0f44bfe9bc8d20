-- name: save_monitor
-- Insert a monitor or replace its definition; the detector state stays with the name.
INSERT INTO kedge_monitor (name, endpoint, created_ms, definition) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    endpoint = excluded.endpoint, created_ms = excluded.created_ms, definition = excluded.definition

-- name: get_monitor
-- One monitor's definition.
SELECT definition FROM kedge_monitor WHERE name = ?

-- name: monitors
-- All monitors, or those of an endpoint, by name.
SELECT definition FROM kedge_monitor WHERE CAST(:endpoint AS TEXT) IS NULL OR endpoint = :endpoint ORDER BY name

-- name: insert_run
-- Record a window's evaluation unless the monitor has one for that window.
INSERT INTO kedge_monitor_run (
    id, monitor, endpoint, kind, window_start_ms, window_end_ms, rows, verdict, created_ms, duration_ms,
    deployment_id, model_name, model_version, reference, drift_share, metrics, detectors, note
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (monitor, window_start_ms, window_end_ms) DO NOTHING

-- name: insert_result
-- Record one detector on one column of a run.
INSERT INTO kedge_monitor_result (
    run_id, column_name, detector, params, statistic, threshold, drift, p_value, bins, reference, current
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_alert
-- Record an alert.
INSERT INTO kedge_alert (
    id, monitor, monitor_run_id, endpoint, message, state, created_ms, event_ms, model_name, model_version,
    acknowledged_ms, pipeline_run_id
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: set_detector_state
-- Keep the detector state that a window left behind.
UPDATE kedge_monitor SET detector_state = ? WHERE name = ?

-- name: detector_state
-- The detector state kept last.
SELECT detector_state FROM kedge_monitor WHERE name = ?

-- name: get_run
-- One run.
SELECT * FROM kedge_monitor_run WHERE id = ?

-- name: runs
-- The newest runs by window, of a monitor, an endpoint or all.
SELECT * FROM kedge_monitor_run
WHERE (CAST(:monitor AS TEXT) IS NULL OR monitor = :monitor) AND (CAST(:endpoint AS TEXT) IS NULL OR endpoint = :endpoint)
ORDER BY window_start_ms DESC, window_end_ms DESC, id DESC LIMIT :limit

-- name: windows
-- The windows that a monitor has evaluated, oldest first.
SELECT window_start_ms, window_end_ms FROM kedge_monitor_run WHERE monitor = ? ORDER BY window_start_ms, window_end_ms

-- name: results
-- The results of a run, of one column or all.
SELECT * FROM kedge_monitor_result WHERE run_id = :run_id AND (CAST(:column AS TEXT) IS NULL OR column_name = :column)
ORDER BY column_name, detector

-- name: heat
-- Statistic and verdict of every column, detector and window of a monitor, without the histograms.
SELECT run.id, run.window_start_ms, result.column_name, result.detector, result.statistic, result.drift
FROM kedge_monitor_run AS run JOIN kedge_monitor_result AS result ON result.run_id = run.id
WHERE run.monitor = ? ORDER BY run.window_start_ms, run.window_end_ms, result.column_name, result.detector

-- name: alerts
-- The newest alerts, of a state, an endpoint or all.
SELECT * FROM kedge_alert
WHERE (CAST(:state AS TEXT) IS NULL OR state = :state) AND (CAST(:endpoint AS TEXT) IS NULL OR endpoint = :endpoint)
ORDER BY created_ms DESC, id DESC LIMIT :limit

-- name: get_alert
-- One alert.
SELECT * FROM kedge_alert WHERE id = ?

-- name: update_alert
-- Acknowledge an alert or link its pipeline run; what is recorded already stays.
UPDATE kedge_alert SET
    state = CASE WHEN state = 'acknowledged' THEN state ELSE :state END,
    acknowledged_ms = coalesce(acknowledged_ms, :acknowledged_ms),
    pipeline_run_id = coalesce(pipeline_run_id, :pipeline_run_id)
WHERE id = :id

-- name: save_trigger
-- Insert a trigger or replace its definition; the time of its last firing never goes back.
INSERT INTO kedge_trigger (name, monitor, definition, last_fired_ms) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET monitor = excluded.monitor, definition = excluded.definition,
    last_fired_ms = CASE
        WHEN kedge_trigger.last_fired_ms IS NULL OR excluded.last_fired_ms > kedge_trigger.last_fired_ms
        THEN excluded.last_fired_ms ELSE kedge_trigger.last_fired_ms END

-- name: triggers
-- All triggers, or those of a monitor, by name.
SELECT definition, last_fired_ms FROM kedge_trigger WHERE CAST(:monitor AS TEXT) IS NULL OR monitor = :monitor ORDER BY name

-- name: mark_fired
-- Move the time of a trigger's last firing on.
UPDATE kedge_trigger SET last_fired_ms = :event_ms
WHERE name = :name AND (last_fired_ms IS NULL OR last_fired_ms < :event_ms)
