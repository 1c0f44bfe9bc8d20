"""Write tests/golden/alibi.json: MMD, LSDD, ContextMMD and the online tests by Alibi Detect, on written-down rows and streams.

Run `python -m tests.golden.make_alibi` at the root in an environment of its own with alibi-detect 0.13.0, torch and
numpy < 2.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from tests.golden import streams

FILE = Path(__file__).with_name("alibi.json")

SEEDS = 10
SIGMAS = (0.2, 0.5, 2.0)
RUN_TIME, REFERENCE, WINDOW, VALUES = 50, 200, 20, 120
RIDGE = 0.2
"""How much regularization may change LSDD, of itself."""


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of rows; the first pair is an arithmetic sequence, the others normal, every second with ties."""
    if seed == 0:
        values = (np.arange(1, 561) * 7919 % 1009) * (np.arange(1, 561) % 7 + 1) % 1009 / 1009
        both = values.reshape(-1, 4)
        return both[:80], both[80:] ** 1.3
    return streams.rows(1000 + seed, 80), streams.rows(2000 + seed, 60, 0.1 * seed)


def vectors(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A reference and a stream that moves halfway."""
    values = streams.rows(3000 + seed, VALUES)
    values[VALUES // 2 :] += 1
    return streams.rows(4000 + seed, REFERENCE), values


def numbers() -> dict[str, np.ndarray]:
    return streams.reals(REFERENCE + VALUES)


def flags() -> dict[str, np.ndarray]:
    return streams.errors(REFERENCE + VALUES)


def digits(values, count: int = 7) -> list[float]:
    return [float(f"{float(each):.{count}g}") for each in values]


def steps(detector, values: np.ndarray) -> list[float]:
    """Its statistic after every value from the first full window on."""
    found = [np.ravel(detector.score(np.atleast_1d(each))).item() for each in values]
    return digits(found[WINDOW - 1 :])


def mmds() -> list[dict[str, float]]:
    from alibi_detect.cd import MMDDrift

    found = []
    for reference, window in map(pair, range(SEEDS)):
        found.append({})
        for sigma in (None, *SIGMAS):
            detector = MMDDrift(
                reference,
                backend="pytorch",
                sigma=sigma and np.array([sigma]),
                n_permutations=100,
                configure_kernel_from_x_ref=False,
            )
            distance = float(detector.predict(window)["data"]["distance"])
            found[-1][str(sigma)] = distance
    return found


def lsdds() -> list[list[float]]:
    """Of three groupings of both samples: as they are, shifted, and four of every seven rows."""
    import torch
    from alibi_detect.utils.pytorch.distance import permed_lsdds
    from alibi_detect.utils.pytorch.kernels import GaussianRBF

    found = []
    for samples in map(pair, range(SEEDS)):
        both = torch.tensor(np.concatenate(samples), dtype=torch.float64)
        centres, kernel = both[::7], GaussianRBF(torch.tensor([0.5], dtype=torch.float64))
        overlaps = GaussianRBF(torch.tensor([np.sqrt(0.5)], dtype=torch.float64))(centres, centres)
        groups = groupings()
        result = permed_lsdds(
            kernel(both, centres),
            [torch.tensor(np.flatnonzero(each)) for each in groups],
            [torch.tensor(np.flatnonzero(~each)) for each in groups],
            overlaps,
            lam_rd_max=RIDGE,
        )
        found.append(digits(result[0].tolist(), 12))
    return found


def groupings() -> list[np.ndarray]:
    places = np.arange(140)
    return [places < 80, places >= 60, places % 7 < 4]


def cramer_von_mises() -> dict:
    from alibi_detect.cd import CVMDriftOnline

    found = {}
    for name, values in numbers().items():
        detector = CVMDriftOnline(values[:REFERENCE], RUN_TIME, [WINDOW], n_bootstraps=400, verbose=False)
        found[name] = steps(detector, values[REFERENCE:])
    np.random.seed(1)  # noqa: NPY002 - Alibi Detect draws from the global generator
    detector = CVMDriftOnline(
        numbers()["level 0"][:REFERENCE], RUN_TIME, [WINDOW], n_bootstraps=10_000, verbose=False
    )
    return {"statistics": found, "thresholds": digits(detector.thresholds[WINDOW - 1 :, 0])}


def fisher() -> dict:
    from alibi_detect.cd import FETDriftOnline

    found = {}
    for alternative in ("greater", "less"):
        found[alternative] = {}
        for name, values in flags().items():
            detector = FETDriftOnline(
                values[:REFERENCE].astype(int),
                RUN_TIME,
                [WINDOW],
                n_bootstraps=400,
                alternative=alternative,
                lam=1.0,
                verbose=False,
            )
            found[alternative][name] = steps(detector, values[REFERENCE:].astype(int))
    return found


def online_mmds() -> list[dict]:
    import torch
    from alibi_detect.cd import MMDDriftOnline

    found = []
    for seed in range(SEEDS):
        reference, values = vectors(seed)
        torch.manual_seed(seed)
        detector = MMDDriftOnline(
            reference,
            RUN_TIME,
            WINDOW,
            backend="pytorch",
            sigma=np.array([1.5]),
            n_bootstraps=4000 if seed < 2 else 400,
            verbose=False,
        )
        found.append(
            {"reference": detector._detector.ref_inds.tolist(), "statistics": steps(detector, values)}
        )
        if seed < 2:
            found[-1]["thresholds"] = digits(detector.thresholds[:WINDOW])
    return found


def online_lsdds() -> list[dict]:
    import torch
    from alibi_detect.cd import LSDDDriftOnline

    found = []
    for seed in range(SEEDS):
        reference, values = vectors(seed)
        torch.manual_seed(seed)
        detector = LSDDDriftOnline(
            reference,
            RUN_TIME,
            WINDOW,
            backend="pytorch",
            sigma=np.array([1.5]),
            n_kernel_centers=15,
            n_bootstraps=4000 if seed < 2 else 400,
            lambda_rd_max=RIDGE,
            verbose=False,
        )
        made = detector._detector
        found.append(
            {
                "centres": made.c_inds.tolist(),
                "others": made.non_c_inds.tolist(),
                "reference": made.ref_inds.tolist(),
                "mixing": digits([torch.trace(made.H_lam_inv)], 10)[0],
                "statistics": steps(detector, values),
            }
        )
        if seed < 2:
            found[-1]["thresholds"] = digits(detector.thresholds[:WINDOW])
    return found


def context_mmds() -> dict[str, float]:
    """For two ridges, of the first pair: the last column is the context, the last fifteen rows only hold contexts."""
    import torch
    from alibi_detect.cd.pytorch.context_aware import ContextMMDDriftTorch
    from alibi_detect.utils.pytorch.kernels import GaussianRBF

    both = torch.tensor(np.concatenate(pair(0)), dtype=torch.float64)
    rows_of, contexts = (GaussianRBF(torch.tensor([each], dtype=torch.float64)) for each in (0.5, 0.3))
    x, c = both[:, :3], both[:, 3:]
    detector = ContextMMDDriftTorch(x[:80].numpy(), c[:80].numpy(), device="cpu")
    found = {}
    for ridge in (0.01, 0.1):
        detector.lams = (torch.tensor(ridge, dtype=torch.float64),) * 2
        kernels = rows_of(x[:125], x[:125]), contexts(c[:125], c[:125]), (torch.arange(125) >= 80).double()
        statistic, *_ = detector._cmmd(*kernels, L_held=contexts(c[125:], c[:125]))
        found[str(ridge)] = float(statistic)
    return found


def main() -> None:
    import torch

    torch.set_num_threads(1)
    versions = {name: importlib.metadata.version(name) for name in ("alibi-detect", "torch", "numpy")}
    golden = {
        "made_by": "tests/golden/make_alibi.py",
        "versions": versions,
        "MMD": mmds(),
        "LSDD": lsdds(),
        "CVMOnline": cramer_von_mises(),
        "FETOnline": fisher(),
        "MMDOnline": online_mmds(),
        "LSDDOnline": online_lsdds(),
        "ContextMMD": context_mmds(),
    }
    FILE.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
