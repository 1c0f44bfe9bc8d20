"""The two pipelines of the demo, as a user would write them: train the first model, and retrain after an alert."""

from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient
from mlflow.models import infer_signature

from kedge.client import monitor, validate
from kedge.client.datasets import dataset
from kedge.client.deployments import deploy
from kedge.demo.flights import FEATURES
from kedge.demo.model import PARAMETERS, TRUSTED_TYPES, even_days, fit, labelled, measured, odd_days
from kedge.pipelines.pipeline import pipeline
from kedge.pipelines.step import step

if TYPE_CHECKING:
    import pandas as pd

NAME = "flights"
DRIFT_MONITOR = "flights-drift"
DRIFT_SHARE = 0.25
LEAST_AUC = 0.65
MOST_CALIBRATION_ERROR = 0.05
LEAST_GAIN = 0.005
RECENT_MONTHS = 2


@step(cache=True)
def train(versions: list[str]) -> dict[str, Any]:
    """Train on the odd days of the dataset versions and log the model."""
    flights = _flights(versions)
    model = fit(odd_days(flights))
    example = flights[list(FEATURES)].head(100)
    mlflow.set_experiment(NAME)
    with mlflow.start_run(run_name=f"train {flights['month'].min()}-{flights['month'].max()}") as run:
        mlflow.log_params({**PARAMETERS, "months": f"{flights['month'].min()}-{flights['month'].max()}"})
        mlflow.log_param("training_rows", len(odd_days(flights)))
        mlflow.set_tag("kedge.datasets", ",".join(versions))
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(example, model.predict_proba(example)),
            pip_requirements=["scikit-learn", "skops"],
            skops_trusted_types=TRUSTED_TYPES,
            pyfunc_predict_fn="predict_proba",
        )
    print(f"trained on {len(odd_days(flights)):,} flights, MLflow run {run.info.run_id}")  # noqa: T201 - a step's log
    return {"run_id": run.info.run_id, "model_uri": info.model_uri, "versions": versions}


@step
def evaluate(trained: dict[str, Any]) -> dict[str, float]:
    """Measure on the even days, month by month and together."""
    model = mlflow.sklearn.load_model(trained["model_uri"])
    flights = even_days(_flights(trained["versions"]))
    metrics = measured(model, flights)
    with mlflow.start_run(trained["run_id"]):
        mlflow.log_metrics(metrics)
        for month in sorted({int(value) for value in flights["month"]}):
            part = flights[flights["month"] == month]
            of_month = measured(model, part)
            metrics |= {f"{key}_{month}": value for key, value in of_month.items()}
            mlflow.log_metrics({f"{key}_by_month": value for key, value in of_month.items()}, step=month)
    return metrics


@step
def gate(trained: dict[str, Any], metrics: dict[str, float]) -> str:
    """Stop here unless the model is good enough to be used at all."""
    report = validate.gate(
        "fit for use",
        f"MLflow run {trained['run_id']}",
        [
            validate.at_least("held-out AUC", metrics["auc"], LEAST_AUC),
            validate.at_most("calibration error", metrics["calibration_error"], MOST_CALIBRATION_ERROR),
        ],
        mlflow_run_id=trained["run_id"],
    )
    return report.require().id


@step
def release(trained: dict[str, Any], report: str, reason: str) -> dict[str, Any]:
    """Register the model as champion and let it answer; drift is measured against its training data from now on."""
    version = _registered(trained, report)
    MlflowClient().set_registered_model_alias(NAME, "champion", version)
    deployment = deploy(NAME, model=NAME, version=version, reason=reason)
    watch_drift(trained["versions"])
    return {"promoted": True, "version": version, "deployment": deployment.id, "report": report}


@step
def compare(trained: dict[str, Any]) -> dict[str, Any]:
    """Measure candidate and champion on the same recent held-out days; the gate asks the candidate to be better."""
    flights = even_days(_flights(trained["versions"]))
    candidate = measured(mlflow.sklearn.load_model(trained["model_uri"]), flights)
    champion = measured(mlflow.sklearn.load_model(f"models:/{NAME}@champion"), flights)
    with mlflow.start_run(trained["run_id"]):
        mlflow.log_metrics(candidate)
        mlflow.log_metrics({f"champion_{key}": value for key, value in champion.items()})
    report = validate.gate(
        "better than the champion",
        f"MLflow run {trained['run_id']}",
        [
            validate.at_least("held-out AUC", candidate["auc"], champion["auc"] + LEAST_GAIN),
            validate.at_most("Brier score", candidate["brier"], champion["brier"]),
            validate.at_most("calibration error", candidate["calibration_error"], MOST_CALIBRATION_ERROR),
        ],
        mlflow_run_id=trained["run_id"],
    )
    return {"passed": report.passed, "report": report.id}


@step
def promote(trained: dict[str, Any], verdict: dict[str, Any], alert: str) -> dict[str, Any]:
    """Replace the champion when the gate has passed; otherwise keep the candidate on record and change nothing."""
    if verdict["passed"]:
        return release(trained, verdict["report"], f"retrained after alert {alert}")
    version = _registered(trained, verdict["report"])
    return {"promoted": False, "version": version, "report": verdict["report"]}


@pipeline(name="flights-train")
def train_first(versions: list[str]) -> Any:
    """From dataset versions to a champion that answers."""
    trained = train(versions)
    metrics = evaluate(trained)
    report = gate(trained, metrics)
    return {"released": release(trained, report, "first model"), "metrics": metrics}


@pipeline(name="flights-retrain")
def retrain(alert: str) -> Any:
    """From an alert to a decision."""
    trained = train(recent())
    return promote(trained, compare(trained), alert)


@step
def recent() -> list[str]:
    """The versions of the most recent months."""
    months = sorted(version.tag or "" for version in dataset(NAME).versions())[-RECENT_MONTHS:]
    print("months", ", ".join(months))  # noqa: T201 - a step's log
    return [dataset(NAME).version(month).id for month in months]


def watch_drift(versions: list[str]) -> None:
    """Compare every month's inputs with these dataset versions."""
    monitor.drift(
        DRIFT_MONITOR,
        endpoint=NAME,
        reference=versions,
        columns=FEATURES,
        period="month",
        alert_when={"drift_share": DRIFT_SHARE},
    )


def _flights(versions: list[str]) -> "pd.DataFrame":
    return labelled([dataset(NAME).version(version).to_pandas() for version in versions])


def _registered(trained: dict[str, Any], report: str) -> str:
    made = mlflow.register_model(trained["model_uri"], NAME, tags={"kedge.report": report})
    return str(made.version)
