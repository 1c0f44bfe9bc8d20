"""Loading model folders: what is taken, what is refused, and that what is refused does not run."""

import io
import pickle
import re
import shutil
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
import skops.io
import yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from kedge.core.errors import Invalid, NotFound
from kedge.serving.estimators import check_trees
from kedge.serving.model import load_model, scores
from kedge.serving.signature import Inputs


class Bomb:
    """Writes a file when unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return (open, (str(self.place), "w"))


class Foreign(LinearRegression):
    """A class of user code."""


def as_pickle(folder, content, format_name="cloudpickle"):
    (folder / "model.pkl").write_bytes(content)
    fields = yaml.safe_load((folder / "MLmodel").read_text())
    fields["flavors"]["sklearn"] = {"pickled_model": "model.pkl", "serialization_format": format_name}
    (folder / "MLmodel").write_text(yaml.safe_dump(fields))
    return folder


@pytest.mark.parametrize("format_name", ["cloudpickle", "pickle"])
def test_a_pickle_is_refused_and_not_executed(tmp_path, save_model, format_name):
    place = tmp_path / "boom"
    folder = as_pickle(save_model(tmp_path / "m", LinearRegression()), pickle.dumps(Bomb(place)), format_name)
    with pytest.raises(Invalid, match=r"model\.pkl is a pickle.*trust_pickle = true"):
        load_model(folder, trust_pickle=False)
    assert not place.exists()


def test_a_pickle_is_loaded_where_trusted(tmp_path, save_model):
    fitted = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    folder = as_pickle(save_model(tmp_path / "m", fitted), pickle.dumps(fitted))
    model = load_model(folder, trust_pickle=True)
    assert model.predict(Inputs(rows=1, matrix=np.array([[3.0]]))) == pytest.approx([3.0])
    broken = as_pickle(save_model(tmp_path / "n", fitted), b"nothing")
    with pytest.raises(Invalid, match="cannot be unpickled"):
        load_model(broken, trust_pickle=True)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (Foreign(), "Foreign"),
        (FunctionTransformer(func=shutil.rmtree), "shutil.rmtree"),
        (FunctionTransformer(func=np.load), "numpy.load"),
    ],
)
def test_types_that_are_not_trusted_are_refused_by_name(tmp_path, save_model, estimator, name):
    folder = save_model(tmp_path / "m", estimator)
    with pytest.raises(Invalid, match=f"types that are not trusted: .*{re.escape(name)}"):
        load_model(folder, trust_pickle=True)


def test_trees_that_point_outside_of_themselves_are_refused(models):
    estimator = skops.io.load(
        models.flights / "model.skops",
        trusted=skops.io.get_untrusted_types(file=models.flights / "model.skops"),
    )
    check_trees(estimator)
    tree = estimator[-1]._predictors[0][0]
    inner = int(np.flatnonzero(tree.nodes["is_leaf"] == 0)[0])
    for field, value in (("left", 10_000), ("right", 0), ("feature_idx", 99)):
        kept = tree.nodes[field][inner]
        tree.nodes[field][inner] = value
        with pytest.raises(Invalid, match="point outside"):
            check_trees({"deep": [estimator]})
        tree.nodes[field][inner] = kept
    check_trees(estimator)
    plain = DecisionTreeClassifier(random_state=1).fit([[0.0], [1.0]], [0, 1])
    check_trees(plain)
    plain.tree_.children_left[0] = 5
    with pytest.raises(Invalid, match="point outside"):
        check_trees(plain)
    plain.tree_.children_left[0] = 1


def test_a_damaged_skops_file_is_refused(tmp_path, save_model):
    folder = save_model(tmp_path / "m", LinearRegression())
    for content in (b"", b"PK\x03\x04 nothing"):
        (folder / "model.skops").write_bytes(content)
        with pytest.raises(Invalid, match="cannot be read by skops"):
            load_model(folder, trust_pickle=False)
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        archive.writestr("schema.json", '{"__class__": "x"}')
    with pytest.raises(Invalid, match="cannot be read by skops"):
        load_model(folder, trust_pickle=False)


def test_a_file_that_unpacks_to_much_more_is_refused_unread(tmp_path, save_model):
    folder = save_model(tmp_path / "m", LinearRegression())
    with zipfile.ZipFile(folder / "model.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"[" + b"0," * 20_000_000 + b"0]")
    size = (folder / "model.skops").stat().st_size
    assert size < 100_000
    tracemalloc.start()
    with pytest.raises(Invalid, match=f"{size:,} bytes and unpacks to 40,000,003: at most 16,777,216"):
        load_model(folder, trust_pickle=False)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_directory_that_understates_its_entries_is_found_out(tmp_path, save_model):
    folder = save_model(tmp_path / "m", LinearRegression())
    text = b"0" * 40_000_000
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", text)
    lying = content.getvalue()
    # Before the entry, and in the directory: the size, and the checksum of no more than that size.
    for told, lie in ((len(text), 1000), (zlib.crc32(text), zlib.crc32(text[:1000]))):
        assert lying.count(struct.pack("<I", told)) == 2
        lying = lying.replace(struct.pack("<I", told), struct.pack("<I", lie))
    (folder / "model.skops").write_bytes(lying)
    with zipfile.ZipFile(folder / "model.skops") as archive:
        assert archive.read("schema.json") == text[:1000]
    tracemalloc.start()
    with pytest.raises(Invalid, match="unpacks to more than its directory tells: at most 16,777,216"):
        load_model(folder, trust_pickle=False)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_only_deflate_is_unpacked(tmp_path, save_model):
    folder = save_model(tmp_path / "m", LinearRegression())
    skops.io.dump(LinearRegression(), folder / "model.skops", compression=zipfile.ZIP_LZMA)
    with pytest.raises(Invalid, match="otherwise than by deflate"):
        load_model(folder, trust_pickle=False)


def test_a_compressed_forest_is_loaded(tmp_path, save_model):
    rows = np.random.default_rng(4).normal(size=(2000, 8))
    forest = RandomForestClassifier(50, random_state=1).fit(rows, rows[:, 0] > 0)
    folder = save_model(tmp_path / "m", forest)
    skops.io.dump(forest, folder / "model.skops", compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    model = load_model(folder, trust_pickle=False)
    assert np.array_equal(model.predict(Inputs(rows=2000, matrix=rows)), forest.predict(rows))


def test_folders_that_cannot_be_served(tmp_path, save_model):
    with pytest.raises(NotFound, match="no MLmodel file"):
        load_model(tmp_path, trust_pickle=False)
    estimator = LinearRegression()

    def with_fields(name, change):
        folder = save_model(tmp_path / name, estimator)
        fields = yaml.safe_load((folder / "MLmodel").read_text())
        change(fields)
        (folder / "MLmodel").write_text(yaml.safe_dump(fields))
        return folder

    for name, change, message in (
        ("a", lambda f: f.pop("flavors"), "cannot be read"),
        ("b", lambda f: f["flavors"].pop("sklearn"), "no sklearn flavor .it has python_function"),
        (
            "c",
            lambda f: f["flavors"]["sklearn"].update(pickled_model="../../x"),
            "lies outside of the model",
        ),
        ("d", lambda f: f["flavors"]["sklearn"].update(pickled_model="gone.skops"), "lacks gone.skops"),
        (
            "e",
            lambda f: f["flavors"]["python_function"].update(predict_fn="__init__"),
            "predict_fn '__init__'",
        ),
        (
            "f",
            lambda f: f["flavors"]["python_function"].update(predict_fn="predict_proba"),
            "has no predict_proba",
        ),
        ("g", lambda f: f.update(signature={"inputs": "{"}), "signature in .* cannot be read"),
        (
            "h",
            lambda f: f.update(signature={"inputs": '[{"name": "x", "type": "array"}]'}),
            "input 'x' has type 'array'",
        ),
    ):
        with pytest.raises(Invalid, match=message):
            load_model(with_fields(name, change), trust_pickle=False)
    (with_fields("i", lambda f: None) / "MLmodel").write_text("a: [")
    with pytest.raises(Invalid, match="cannot be read"):
        load_model(tmp_path / "i", trust_pickle=False)


def test_optional_columns_and_times(tmp_path, save_model):
    from kedge.serving.signature import Column, Signature, fit

    signature = Signature(
        columns=(
            Column(name="at", type="datetime"),
            Column(name="note", type="string", required=False),
            Column(name="x", type="float", required=False),
            Column(name="when", type="datetime", required=False),
        )
    )
    at = np.array(["2013-07-01T10:00:00+02:00", None], dtype=object)
    fitted = fit({"at": at}, signature)
    assert fitted.columns["at"][0] == np.datetime64("2013-07-01T08:00:00")
    assert np.isnat(fitted.columns["at"][1])
    assert fitted.columns["note"].tolist() == [None, None]
    assert np.isnan(fitted.columns["x"]).all()
    assert np.isnat(fitted.columns["when"]).all()
    with pytest.raises(Invalid, match="input 'at' has the value 'noon'"):
        fit({"at": np.array(["noon"], dtype=object)}, signature)
    with pytest.raises(Invalid, match="'n' is missing: a long column cannot hold missing values"):
        fit(
            {"x": np.array([1.0])},
            Signature(
                columns=(
                    Column(name="x", type="double"),
                    Column(name="n", type="long", required=False),
                )
            ),
        )


def test_one_score_a_row():
    assert scores(np.array([3.0, 4.0])).tolist() == [3, 4]
    assert scores(np.array([[0.25, 0.75]])).tolist() == [0.75]
    assert scores(np.array([[5.0], [6.0]])).tolist() == [5, 6]
    assert scores(np.array([[0.2, 0.5, 0.3]])).tolist() == [1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_mlflow_saves_answers_as_mlflow_answers(tmp_path, models, make_frame, server):
    mlflow_sklearn = pytest.importorskip("mlflow.sklearn")
    import mlflow.pyfunc
    from mlflow.models import infer_signature

    from kedge.serving.signature import fit

    rows = make_frame(50, seed=8)
    estimator = models.flights_estimator
    predictor = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
    mlflow_sklearn.save_model(
        estimator,
        tmp_path / "m",
        signature=infer_signature(rows, estimator.predict_proba(rows)),
        pip_requirements=["scikit-learn"],
        pyfunc_predict_fn="predict_proba",
        serialization_format="skops",
        skops_trusted_types=[predictor],
    )
    model = load_model(tmp_path / "m", trust_pickle=False)
    columns = {
        name: rows[name].to_numpy(dtype=object if name == "carrier" else None) for name in rows.columns
    }
    served = model.predict(fit(columns, model.signature))
    assert np.array_equal(served, mlflow.pyfunc.load_model(str(tmp_path / "m")).predict(rows))
