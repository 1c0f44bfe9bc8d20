"""Write tests/golden/menelaus.json: verdicts of Menelaus's elections on written-down votes, divergences of its kdq-tree,
warnings and alarms of its STEPD, and Hellinger distances of its HDDDM.

Menelaus halves the range of the values in a cell, the paper (and Kedge) the cell: on a grid, which is used here, both part
the values alike.

Run `python -m tests.golden.make_menelaus` at the root with a Python that has menelaus 0.2.0 (with numpy < 2.4 and
pandas < 3), apart from Kedge's own environment.
"""

import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from tests.golden import streams

FILE = Path(__file__).with_name("menelaus.json")
STATES = (None, "warning", "drift")
STEPDS = ((30, 0.003, 0.05), (50, 0.0001, 0.01), (12, 0.02, 0.1))
HDDDM_SEEDS = 12


def verdicts(election, votes: np.ndarray) -> list[int]:
    return [
        STATES.index(election([SimpleNamespace(drift_state=STATES[vote]) for vote in row])) for row in votes
    ]


def grid() -> np.ndarray:
    """16 x 16 places, each moved a little, for Menelaus counts the distinct numbers of a cell as well as its values."""
    places = np.stack(np.meshgrid(np.arange(16.0), np.arange(16.0)), axis=-1).reshape(-1, 2)
    return places + (np.arange(512).reshape(-1, 2) * 7919 % 1009) / 1009 / 50


def windows() -> np.ndarray:
    """Fifty windows of 60 values on the grid, from even to crowded in a corner."""
    rng = np.random.default_rng(6)
    return np.floor(rng.random((50, 60, 2)) ** np.linspace(1, 3, 50)[:, None, None] * 16)


def moved(window: np.ndarray) -> np.ndarray:
    """The window, each value moved a little for the same reason."""
    return window + (np.arange(window.size).reshape(-1, 2) * 7919 % 1013) / 1013 / 50


def divergences_of_both() -> list[float]:
    """Of windows from the grid in the cells of a tree of both samples."""
    from menelaus.partitioners.KDQTreePartitioner import KDQTreePartitioner

    found = []
    for window in map(moved, windows()):
        tree = KDQTreePartitioner(count_ubound=20, cutpoint_proportion_lbound=2**-10)
        tree.build(np.concatenate([grid(), window]))
        tree.fill(grid(), tree_id="before", reset=True)
        tree.fill(window, tree_id="after", reset=True)
        found.append(float(tree.kl_distance("after", "before")))
    return found


def divergences() -> list[float]:
    from menelaus.partitioners.KDQTreePartitioner import KDQTreePartitioner

    found = []
    for window in windows():
        tree = KDQTreePartitioner(count_ubound=20, cutpoint_proportion_lbound=2**-10)
        tree.build(grid())
        tree.fill(window, tree_id="test", reset=True)
        found.append(float(tree.kl_distance("build", "test")))
    return found


def proportions(window: int, drift: float, warn: float, errors: np.ndarray) -> list:
    """Warnings and alarms of STEPD; it starts anew after an alarm by itself."""
    from menelaus.concept_drift import STEPD

    detector, states = STEPD(window, warn, drift), []
    with np.errstate(invalid="ignore", divide="ignore"):  # while there are no errors, or nothing else
        for error in errors.astype(int).tolist():
            detector.update(1, 1 - error)
            states.append(detector.drift_state)
    warnings, drifts = ([i for i, state in enumerate(states) if state == each] for each in STATES[1:])
    return [streams.digest(warnings), drifts]


def batches(seed: int) -> list[np.ndarray]:
    """A reference and three windows of differing sizes; the reference grows by each window."""
    sizes = 90 + 10 * seed, 60, 75 + seed, 40
    return [streams.rows(100 * seed + k, n, 0.2 * k) for k, n in enumerate(sizes)]


def distances(seed: int) -> list[float]:
    """HDDDM's distance of each window; before the third it cannot alarm and throw the reference away."""
    import pandas as pd
    from menelaus.data_drift import HDDDM

    detector, found = HDDDM(detect_batch=3), []
    reference, *windows = (pd.DataFrame(each, columns=list("abc")) for each in batches(seed))
    detector.set_reference(reference)
    for window in windows:
        detector.update(window)
        found.append(float(detector.current_distance))
    return found


def main() -> None:
    from menelaus.ensemble import (  # not where the tests, which use what stands above, are run
        ConfirmedElection,
        MinimumApprovalElection,
        OrderedApprovalElection,
        SimpleMajorityElection,
    )

    rng = np.random.default_rng(5)
    elections = {
        "SimpleMajority()": SimpleMajorityElection(),
        "MinimumApproval(1)": MinimumApprovalElection(1),
        "MinimumApproval(3)": MinimumApprovalElection(3),
        "OrderedApproval(1, 1)": OrderedApprovalElection(1, 1),
        "OrderedApproval(2, 1)": OrderedApprovalElection(2, 1),
        "Confirmed(2, 3, after_drift='stand')": ConfirmedElection(2, 3),
        "Confirmed(3, 10, after_drift='stand')": ConfirmedElection(3, 10),
        "Confirmed(1, 0, after_drift='stand')": ConfirmedElection(1, 0),
    }
    dense = rng.choice(3, (150, 4), p=[0.4, 0.2, 0.4])
    sparse = rng.choice(3, (450, 4), p=[0.9, 0.04, 0.06])
    votes = np.concatenate([dense, sparse])
    golden = {
        "made_by": "tests/golden/make_menelaus.py",
        "versions": {name: importlib.metadata.version(name) for name in ("menelaus", "numpy")},
        "votes": ["".join(map(str, row)) for row in votes.tolist()],
        "verdicts": {
            name: "".join(map(str, verdicts(election, votes))) for name, election in elections.items()
        },
    }
    golden["kdq_tree"] = divergences()
    golden["kdq_tree of both"] = divergences_of_both()
    golden["STEPD"] = [
        {name: proportions(*each, errors) for name, errors in streams.errors().items()} for each in STEPDS
    ]
    golden["HDDDM"] = [distances(seed) for seed in range(HDDDM_SEEDS)]
    FILE.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
