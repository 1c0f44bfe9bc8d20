"""A model folder as MLflow writes it, read without MLflow: the MLmodel file says what lies beside it."""

from pathlib import Path
from typing import Any

import msgspec
import yaml

from kedge.core.errors import Invalid, NotFound
from kedge.serving.signature import Signature, read_signature

_PREDICT_FUNCTIONS = ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba")


class ModelFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What MLmodel says: the file that holds the estimator, its format and the method that answers."""

    file: Path
    format: str
    predict_fn: str
    signature: Signature


def read_folder(folder: Path) -> ModelFolder:
    """Read MLmodel. Raises NotFound without one, Invalid where it describes what cannot be served."""
    description = folder / "MLmodel"
    if not description.is_file():
        raise NotFound(f"{folder} is not a model: it has no MLmodel file")
    try:
        fields: Any = yaml.safe_load(description.read_text())
        flavors = dict(fields["flavors"])
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError, ValueError) as error:
        raise Invalid(f"{description} cannot be read: {error!r}") from error
    sklearn = flavors.get("sklearn")
    if not isinstance(sklearn, dict) or not isinstance(sklearn.get("pickled_model"), str):
        raise Invalid(
            f"{description} has no sklearn flavor (it has {', '.join(sorted(flavors)) or 'none'})",
            hint="log the model with mlflow.sklearn.log_model",
        )
    file = (folder / sklearn["pickled_model"]).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise Invalid(f"{description} names {sklearn['pickled_model']!r}, which lies outside of the model")
    predict_fn = (flavors.get("python_function") or {}).get("predict_fn", "predict")
    if predict_fn not in _PREDICT_FUNCTIONS:
        raise Invalid(f"{description} has predict_fn {predict_fn!r}: one of {', '.join(_PREDICT_FUNCTIONS)}")
    try:
        signature = read_signature(fields.get("signature") or {})
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"the signature in {description} cannot be read: {error!r}") from error
    return ModelFolder(
        file=file,
        format=str(sklearn.get("serialization_format", "pickle")),
        predict_fn=predict_fn,
        signature=signature,
    )
