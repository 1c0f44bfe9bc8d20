"""Write tests/golden/frouros.json: where Frouros alarms on written-down streams.

Run with a Python that has frouros 0.9.0, apart from Kedge's own environment. Its detectors are reset after every alarm, as
its caller has to.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("frouros.json")


def streams() -> dict[str, np.ndarray]:
    """The streams, which the tests make again."""
    rng = np.random.default_rng(20170301)
    return {
        "normal": np.concatenate([rng.normal(0, 1, 2000), rng.normal(1, 1, 2000), rng.normal(-1, 2, 2000)]),
        "errors": (rng.random(6000) < np.repeat([0.1, 0.3, 0.15], 2000)).astype(float),
    }


def alarms(detector, values: np.ndarray) -> list[int]:
    found = []
    for place, value in enumerate(values.tolist()):
        detector.update(value=value)
        if detector.drift:
            found.append(place)
            detector.reset()
    return found


def main() -> None:
    from frouros.detectors.concept_drift import (  # not where the tests, which use what stands above, are run
        CUSUM,
        ECDDWT,
        CUSUMConfig,
        ECDDWTConfig,
        GeometricMovingAverage,
        GeometricMovingAverageConfig,
    )

    detectors = {
        "CUSUM": lambda: CUSUM(CUSUMConfig(delta=0.005, lambda_=30.0, min_num_instances=30)),
        "GeometricMovingAverage": lambda: GeometricMovingAverage(
            GeometricMovingAverageConfig(alpha=0.99, lambda_=0.3, min_num_instances=30)
        ),
        "ECDDWT": lambda: ECDDWT(ECDDWTConfig(lambda_=0.2, average_run_length=400, min_num_instances=30)),
    }
    found = {
        name: {
            stream: alarms(make(), values)
            for stream, values in streams().items()
            if name != "ECDDWT" or stream == "errors"
        }
        for name, make in detectors.items()
    }
    versions = {name: importlib.metadata.version(name) for name in ("frouros", "numpy")}
    FILE.write_text(
        json.dumps({"made_by": "tests/golden/make_frouros.py", "versions": versions, "alarms": found}) + "\n"
    )


if __name__ == "__main__":
    main()
