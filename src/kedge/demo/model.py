"""The model of the demo and how it is measured: plain functions on DataFrames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from kedge.demo.flights import CATEGORICAL, FEATURES, LABEL

if TYPE_CHECKING:
    import pandas as pd

PARAMETERS = {
    "max_iter": 80,
    "learning_rate": 0.05,
    "max_leaf_nodes": 15,
    "l2_regularization": 10.0,
    "random_state": 0,
}
# Every type below sklearn's estimators that a stored model of this kind needs.
TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
_CALIBRATION_BINS = 10


def labelled(frames: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    """The flights that arrived, of all frames."""
    import pandas as pd

    return pd.concat(frames, ignore_index=True).dropna(subset=[LABEL])


def odd_days(flights: "pd.DataFrame") -> "pd.DataFrame":
    """What models are trained on."""
    return flights[flights["day"] % 2 == 1]


def even_days(flights: "pd.DataFrame") -> "pd.DataFrame":
    """What models are measured on."""
    return flights[flights["day"] % 2 == 0]


def fit(flights: "pd.DataFrame") -> Pipeline:
    """A model trained on labelled flights."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer(
        (encoder, list(CATEGORICAL)), remainder="passthrough", verbose_feature_names_out=False
    )
    model = make_pipeline(columns, HistGradientBoostingClassifier(**PARAMETERS))
    return model.fit(flights[list(FEATURES)], flights[LABEL])


def measured(model: Any, flights: "pd.DataFrame") -> dict[str, float]:
    """AUC, Brier score and expected calibration error on labelled flights."""
    truth = flights[LABEL].to_numpy()
    probability = model.predict_proba(flights[list(FEATURES)])[:, 1]
    return {
        "auc": float(roc_auc_score(truth, probability)),
        "brier": float(brier_score_loss(truth, probability)),
        "calibration_error": calibration_error(truth, probability),
    }


def calibration_error(truth: Any, probability: Any) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    place = np.minimum((probability * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    gaps = [
        abs(truth[place == k].mean() - probability[place == k].mean()) * (place == k).mean()
        for k in range(_CALIBRATION_BINS)
        if (place == k).any()
    ]
    return float(sum(gaps))
