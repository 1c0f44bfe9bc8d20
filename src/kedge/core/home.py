"""The data directory: what lies where."""

from pathlib import Path

import msgspec


class Home(msgspec.Struct, frozen=True):
    """Paths below one data directory (`KEDGE_HOME`, default `./kedge-data`); `root` is absolute."""

    root: Path

    @property
    def database(self) -> Path:
        """Kedge's and MLflow's tables."""
        return self.root / "kedge.db"

    @property
    def objects(self) -> Path:
        """Bytes by content."""
        return self.root / "objects"

    @property
    def artifacts(self) -> Path:
        """What MLflow clients log; models among them."""
        return self.root / "artifacts"

    @property
    def models(self) -> Path:
        """Copies of deployed models whose artifacts lie elsewhere, a folder a deployment; they can be fetched again."""
        return self.root / "models"

    @property
    def inference(self) -> Path:
        """Segments of the inference log, a folder an endpoint."""
        return self.root / "inference"

    @property
    def logs(self) -> Path:
        """What the processes print."""
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        """Held by the supervisor with flock; its text is the pid."""
        return self.root / "kedge.lock"

    @property
    def state(self) -> Path:
        """What the supervisor runs at the moment, as JSON."""
        return self.root / "state.json"

    @property
    def attempts(self) -> Path:
        """Loads that serving has begun and not ended, as JSON."""
        return self.root / "serving-attempts.json"
