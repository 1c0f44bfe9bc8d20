"""A loaded model: rows in, one array of answers out."""

from pathlib import Path
from typing import Any

import numpy as np

from kedge.core.errors import Invalid
from kedge.serving.estimators import load_pickle, load_skops
from kedge.serving.folder import ModelFolder, read_folder
from kedge.serving.signature import Array, Inputs, Signature, Tensor

_FROM_NUMPY = {
    "b": "BOOL",
    "f2": "FP16",
    "f4": "FP32",
    "f8": "FP64",
    **{f"i{size}": f"INT{8 * size}" for size in (1, 2, 4, 8)},
    **{f"u{size}": f"UINT{8 * size}" for size in (1, 2, 4, 8)},
}


class Model:
    """An estimator behind its signature. `predict` may be called from one thread at a time."""

    def __init__(self, estimator: Any, folder: ModelFolder) -> None:
        self.signature: Signature = folder.signature
        self.predict_fn = folder.predict_fn
        function = getattr(estimator, folder.predict_fn, None)
        if not callable(function):
            raise Invalid(f"a {type(estimator).__name__} has no {folder.predict_fn}")
        self._function = function
        names = getattr(estimator, "feature_names_in_", ())
        self.feature_names: tuple[str, ...] = tuple(str(name) for name in names)

    def predict(self, inputs: Inputs) -> Array:
        """Answers, whose first dimension counts the rows. Raises what the estimator raises."""
        answers = np.asarray(self._function(_argument(inputs)))
        if answers.ndim == 0 or len(answers) != inputs.rows:
            raise ValueError(f"the model answered {inputs.rows} rows with an array of shape {answers.shape}")
        return answers

    def outputs(self, answers: Array) -> dict[str, Array]:
        """The answers by output name: the signature's names, else the name of the method that answered."""
        columns = self.signature.output_columns
        if len(columns) > 1 and answers.ndim == 2 and answers.shape[1] == len(columns):
            return {column.name or str(i): answers[:, i] for i, column in enumerate(columns)}
        return {self.output_name: answers}

    @property
    def output_name(self) -> str:
        """Of the only output."""
        columns, tensor = self.signature.output_columns, self.signature.output_tensor
        if tensor is not None and tensor.name != "output-0":
            return tensor.name
        if len(columns) == 1 and columns[0].name:
            return columns[0].name
        return self.predict_fn


def load_model(path: Path, *, trust_pickle: bool) -> Model:
    """Load a model folder. Raises NotFound or Invalid with the reason; nothing of a refused file is executed."""
    folder = read_folder(path)
    if not folder.file.is_file():
        raise Invalid(f"{path} lacks {folder.file.name}, which its MLmodel names")
    if folder.format == "skops":
        return Model(load_skops(folder.file), folder)
    return Model(load_pickle(folder.file, trusted=trust_pickle), folder)


def datatype(array: Array) -> str:
    """The protocol's name of the array's type."""
    kind = array.dtype.kind
    return _FROM_NUMPY.get("b" if kind == "b" else f"{kind}{array.dtype.itemsize}", "BYTES")


def tensor_datatype(tensor: Tensor) -> str:
    """The protocol's name of a signature tensor's type."""
    return datatype(np.empty(0, dtype=tensor.dtype))


def scores(answers: Array) -> Array:
    """One value a row for the log: P(class 1) of two-column probabilities, the only column, the value itself,
    and of more columns the index of the largest."""
    if answers.ndim == 1:
        return answers
    flat = answers.reshape(len(answers), -1)
    if flat.shape[1] == 1:
        return flat[:, 0]
    return flat[:, 1] if flat.shape[1] == 2 else flat.argmax(axis=1)


def _argument(inputs: Inputs) -> Any:
    if inputs.matrix is not None:
        return inputs.matrix
    import pandas as pd  # named columns are what scikit-learn's column transformers take

    return pd.DataFrame(inputs.columns, copy=False)
