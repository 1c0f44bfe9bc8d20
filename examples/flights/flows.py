"""Two pipelines: train a first model, and retrain after an alert."""

import mlflow
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import kedge
from kedge.demo.flights import CATEGORICAL, FEATURES

NAME = "delays"
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def flights(versions):
    """The labelled flights of some dataset versions, split into odd days (train) and even days (test)."""
    table = pd.concat([kedge.dataset(NAME).version(v).to_pandas() for v in versions]).dropna(subset="late")
    return table[table.day % 2 == 1], table[table.day % 2 == 0]


def measure(model, test):
    return {"auc": roc_auc_score(test.late, model.predict_proba(test[list(FEATURES)])[:, 1])}


@kedge.step(cache=True)
def train(versions):
    odd, _ = flights(versions)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer((encoder, list(CATEGORICAL)), remainder="passthrough")
    model = make_pipeline(
        columns, HistGradientBoostingClassifier(max_iter=80, learning_rate=0.05, max_leaf_nodes=15)
    )
    model.fit(odd[list(FEATURES)], odd.late)
    mlflow.set_experiment(NAME)
    with mlflow.start_run() as run:
        mlflow.log_param("training_rows", len(odd))
        example = odd[list(FEATURES)].head(50)
        signature = mlflow.models.infer_signature(example, model.predict_proba(example))
        options = {
            "signature": signature,
            "skops_trusted_types": TRUSTED,
            "pip_requirements": ["scikit-learn", "skops"],
        }
        info = mlflow.sklearn.log_model(model, name="model", pyfunc_predict_fn="predict_proba", **options)
    return {"run": run.info.run_id, "uri": info.model_uri, "versions": versions}


@kedge.step
def gate(trained):
    """Good enough to be used; and, where there is a champion, better than it on the same recent held-out days."""
    _, even = flights(trained["versions"])
    candidate = measure(mlflow.sklearn.load_model(trained["uri"]), even)
    with mlflow.start_run(trained["run"]):
        mlflow.log_metrics(candidate)
    checks = [kedge.validate.at_least("AUC", candidate["auc"], 0.6)]
    if mlflow.MlflowClient().search_model_versions(f"name = '{NAME}'"):
        champion = measure(mlflow.sklearn.load_model(f"models:/{NAME}@champion"), even)
        checks.append(
            kedge.validate.at_least("AUC beside the champion", candidate["auc"], champion["auc"] + 0.005)
        )
    return kedge.validate.gate("good and better", trained["run"], checks, mlflow_run_id=trained["run"]).passed


@kedge.step
def release(trained, passed, reason):
    if not passed:
        return {"promoted": False}
    version = mlflow.register_model(trained["uri"], NAME).version
    mlflow.MlflowClient().set_registered_model_alias(NAME, "champion", version)
    kedge.deploy(NAME, model=NAME, alias="champion", reason=reason)
    kedge.monitor.drift(
        "delays-drift", endpoint=NAME, reference=trained["versions"], alert_when={"drift_share": 0.25}
    )
    return {"promoted": True, "version": str(version)}


@kedge.pipeline
def learn(versions):
    trained = train(versions)
    return release(trained, gate(trained), "first model")


@kedge.pipeline
def relearn(alert):
    trained = train([version.id for version in kedge.dataset(NAME).versions()[:2]])
    return release(trained, gate(trained), f"alert {alert}")
