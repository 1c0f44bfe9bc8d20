-- name: insert
-- A report; written once.
INSERT INTO kedge_report (id, gate, subject, created_ms, passed, checks, pipeline_run_id, step, mlflow_run_id,
    model_name, model_version)
VALUES (:id, :gate, :subject, :created_ms, :passed, :checks, :pipeline_run_id, :step, :mlflow_run_id, :model_name,
    :model_version)

-- name: get
-- One report.
SELECT * FROM kedge_report WHERE id = ?

-- name: reports
-- Newest first, of a pipeline run or an MLflow run where one is given.
SELECT * FROM kedge_report
WHERE (CAST(:pipeline_run_id AS TEXT) IS NULL OR pipeline_run_id = :pipeline_run_id)
    AND (CAST(:mlflow_run_id AS TEXT) IS NULL OR mlflow_run_id = :mlflow_run_id)
ORDER BY created_ms DESC, id DESC LIMIT :limit
