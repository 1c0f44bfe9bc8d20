"""Write tests/golden/menelaus.json: verdicts of Menelaus's elections on written-down votes.

Run with a Python that has menelaus 0.2.0 (with numpy < 2.4 and pandas < 3), apart from Kedge's own environment.
"""

import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from menelaus.ensemble import (
    ConfirmedElection,
    MinimumApprovalElection,
    OrderedApprovalElection,
    SimpleMajorityElection,
)

FILE = Path(__file__).with_name("menelaus.json")
STATES = (None, "warning", "drift")


def verdicts(election, votes: np.ndarray) -> list[int]:
    return [
        STATES.index(election([SimpleNamespace(drift_state=STATES[vote]) for vote in row])) for row in votes
    ]


def main() -> None:
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
    FILE.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
