"""Write tests/golden/alibi.json: MMD, LSDD and ContextMMD by Alibi Detect, on an arithmetic sequence.

Run `python tests/golden/make_alibi.py` in an environment of its own with alibi-detect 0.13.0, torch and numpy < 2.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("alibi.json")


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Two samples of four columns: the same numbers whatever the version of NumPy."""
    values = (np.arange(1, 561) * 7919 % 1009) * (np.arange(1, 561) % 7 + 1) % 1009 / 1009
    both = values.reshape(-1, 4)
    return both[:80], both[80:] ** 1.3


def main() -> None:
    import torch
    from alibi_detect.cd import MMDDrift
    from alibi_detect.cd.pytorch.context_aware import ContextMMDDriftTorch
    from alibi_detect.utils.pytorch.distance import permed_lsdds
    from alibi_detect.utils.pytorch.kernels import GaussianRBF

    reference, window = rows()
    found = {}
    for sigma in (0.2, 0.5, 2.0):
        detector = MMDDrift(
            reference,
            backend="pytorch",
            sigma=np.array([sigma]),
            n_permutations=500,
            configure_kernel_from_x_ref=False,
        )
        found[str(sigma)] = float(detector.predict(window)["data"]["distance"])
    both = torch.tensor(np.concatenate([reference, window]), dtype=torch.float64)
    centres, kernel = both[::7], GaussianRBF(torch.tensor([0.5], dtype=torch.float64))
    overlaps = GaussianRBF(torch.tensor([np.sqrt(0.5)], dtype=torch.float64))(centres, centres)
    lsdds, _, unpermuted = permed_lsdds(
        kernel(both, centres),
        [torch.arange(80), torch.arange(60, 140)],
        [torch.arange(80, 140), torch.arange(60)],
        overlaps,
        lam_rd_max=0.2,
        return_unpermed=True,
    )
    found_in_context = {}
    rows_of, contexts = (GaussianRBF(torch.tensor([each], dtype=torch.float64)) for each in (0.5, 0.3))
    x, c = both[:, :3], both[:, 3:]  # the last fifteen only hold contexts
    detector = ContextMMDDriftTorch(reference[:, :3], reference[:, 3:], device="cpu")
    for ridge in (0.01, 0.1):
        detector.lams = (torch.tensor(ridge, dtype=torch.float64),) * 2
        kernels = rows_of(x[:125], x[:125]), contexts(c[:125], c[:125]), (torch.arange(125) >= 80).double()
        statistic, *_ = detector._cmmd(*kernels, L_held=contexts(c[125:], c[:125]))
        found_in_context[str(ridge)] = float(statistic)
    versions = {name: importlib.metadata.version(name) for name in ("alibi-detect", "torch", "numpy")}
    golden = {
        "made_by": "tests/golden/make_alibi.py",
        "versions": versions,
        "MMD": found,
        "LSDD": lsdds.tolist(),
        "LSDD unpermuted": float(unpermuted),
        "ContextMMD": found_in_context,
    }
    FILE.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
