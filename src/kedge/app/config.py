"""Configuration: kedge.toml, then `KEDGE_*` variables, then flags; read once into one frozen struct.

Where neither says anything of S3, the variables that every tool for S3 reads (`AWS_*`) do.

This is the one module that reads the environment (besides the SDK's `client/settings.py`).
"""

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedge.app.s3_options import checked_place, place_of
from kedge.core.errors import ConfigError
from kedge.core.home import Home
from kedge.storage.postgresql import without_secret
from kedge.storage.s3_signing import DEFAULT_REGION, S3Place

FILE = "kedge.toml"
IN_HOME = "sqlite"
"""The database is a file in the data directory."""
FOLDER = "folder"
"""Artifacts lie in a folder of the data directory."""
_HIDDEN = "(set, not shown)"


@dataclasses.dataclass(frozen=True)
class Option:
    """One option: its key in the file, its type, default and rule."""

    key: str
    kind: type
    default: Any
    rule: str
    low: float | None = None
    high: float | None = None
    starts: tuple[str, ...] = ()
    """How a text has to begin, or what it is in whole; one that begins so may hold a password and is not shown in whole."""
    secret: bool = False
    """Never shown."""
    also: tuple[str, ...] = ()
    """Variables of other tools that say it where nothing of ours does."""

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return "KEDGE_" + self.key.replace(".", "_").upper()


OPTIONS = (
    Option("home", str, "./kedge-data", "a folder that can be written"),
    Option(
        "database",
        str,
        IN_HOME,
        "sqlite (a file in home) or postgresql://user:password@host:port/name",
        starts=(IN_HOME, "postgresql://", "postgres://"),
    ),
    Option(
        "artifacts",
        str,
        FOLDER,
        "folder (artifacts in home) or s3://bucket/prefix",
        starts=(FOLDER, "s3://"),
    ),
    Option(
        "s3.endpoint",
        str,
        "",
        "http://host:port or https://host of an S3 server that is not Amazon's",
        starts=("http://", "https://"),
        also=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"),
    ),
    Option("s3.region", str, DEFAULT_REGION, "a region", also=("AWS_REGION", "AWS_DEFAULT_REGION")),
    Option("s3.access_key_id", str, "", "an access key", also=("AWS_ACCESS_KEY_ID",)),
    Option(
        "s3.secret_access_key",
        str,
        "",
        "the access key's secret",
        secret=True,
        also=("AWS_SECRET_ACCESS_KEY",),
    ),
    Option(
        "s3.session_token",
        str,
        "",
        "what came with a temporary key",
        secret=True,
        also=("AWS_SESSION_TOKEN",),
    ),
    Option(
        "s3.direct", bool, True, "true or false: clients may send to and fetch from the bucket themselves"
    ),
    Option("host", str, "127.0.0.1", "an address of this machine"),
    Option("port", int, 5000, "a port, 1 to 65535", 1, 65535),
    Option("serving_port", int, 8080, "a port, 1 to 65535", 1, 65535),
    Option("allowed_hosts", list, [], "a list of host names by which web and serving may be reached"),
    Option(
        "serving.trust_pickle", bool, False, "true or false: load models that are pickles, which run code"
    ),
    Option("serving.threads", int, 1, "threads, 1 or more, that one prediction may compute with", 1),
    Option("mlflow.idle_stop_s", int, 900, "seconds, 10 or more, after which MLflow's idle server stops", 10),
)
_BY_KEY = {option.key: option for option in OPTIONS}


@dataclasses.dataclass(frozen=True)
class Config:
    """What this process was told; `origins` says where each value came from."""

    home: Path
    database: str
    artifacts: S3Place | None
    """None: a folder in `home`."""
    s3_direct: bool
    host: str
    port: int
    serving_port: int
    allowed_hosts: tuple[str, ...]
    trust_pickle: bool
    serving_threads: int
    mlflow_idle_stop_s: int
    origins: dict[str, str]

    @property
    def web_url(self) -> str:
        """Where web answers to this machine."""
        return f"http://{reachable(self.host)}:{self.port}"

    @property
    def serving_url(self) -> str:
        """Where serving answers to this machine."""
        return f"http://{reachable(self.host)}:{self.serving_port}"

    def values(self) -> dict[str, Any]:
        """By key, as in the file."""
        return {
            "home": str(self.home),
            "database": shown_address(self.database),
            "artifacts": self.artifacts.url if self.artifacts else FOLDER,
            **self._s3_values(),
            "host": self.host,
            "port": self.port,
            "serving_port": self.serving_port,
            "allowed_hosts": list(self.allowed_hosts),
            "serving.trust_pickle": self.trust_pickle,
            "serving.threads": self.serving_threads,
            "mlflow.idle_stop_s": self.mlflow_idle_stop_s,
        }

    def _s3_values(self) -> dict[str, Any]:
        place = self.artifacts or S3Place(bucket="")
        return {
            "s3.endpoint": place.endpoint,
            "s3.region": place.region,
            "s3.access_key_id": place.access_key_id,
            "s3.secret_access_key": _HIDDEN if place.secret_access_key else "",
            "s3.session_token": _HIDDEN if place.session_token else "",
            "s3.direct": self.s3_direct,
        }

    def told(self) -> dict[str, str]:
        """What processes below must know and must not be told in arguments, which a list of processes shows."""
        place = self.artifacts
        if place is None:
            return {"KEDGE_DATABASE": self.database, "KEDGE_ARTIFACTS": FOLDER}
        return {
            "KEDGE_DATABASE": self.database,
            "KEDGE_ARTIFACTS": place.url,
            "KEDGE_S3_ENDPOINT": place.endpoint,
            "KEDGE_S3_REGION": place.region,
            "KEDGE_S3_ACCESS_KEY_ID": place.access_key_id,
            "KEDGE_S3_SECRET_ACCESS_KEY": place.secret_access_key,
            "KEDGE_S3_SESSION_TOKEN": place.session_token,
            "KEDGE_S3_DIRECT": str(self.s3_direct).lower(),
        }


def reachable(host: str) -> str:
    """The address by which this machine reaches what listens on `host`."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared, not bound


def environment() -> dict[str, str]:
    """A copy of the process's variables, for children."""
    return dict(os.environ)


def direct(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables by which libraries ask a proxy for no address of this machine, whatever else is named in them.

    Examples
    --------
    >>> direct({"no_proxy": "example.org"})["no_proxy"]
    'example.org,127.0.0.1,localhost'
    """
    return {
        name: ",".join(filter(None, (variables.get(name), "127.0.0.1,localhost")))
        for name in ("no_proxy", "NO_PROXY")
    }


def database_place(home: Home) -> Path | str:
    """Where the supervisor has told its children that the database is: a file, or an address."""
    address = os.environ.get("KEDGE_DATABASE", IN_HOME)
    return home.database if address == IN_HOME else address


def artifacts_place() -> tuple[S3Place | None, bool]:
    """Where the supervisor has told its children that artifacts are, and whether clients may go there themselves."""
    values = {option.key: os.environ.get(option.variable, "") for option in OPTIONS}
    if values["artifacts"] in ("", FOLDER):
        return None, False
    return place_of(values), values["s3.direct"] != "false"


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables without what is Kedge's own to know, for processes that run other people's code."""
    return {
        name: value
        for name, value in variables.items()
        if name != "KEDGE_DATABASE" and not name.startswith("KEDGE_S3_")
    }


def shown_address(address: str) -> str:
    """The address of a database without its password."""
    return address if address == IN_HOME else without_secret(address)


def read_config(
    flags: Mapping[str, Any], file: Path | None = None, variables: Mapping[str, str] | None = None
) -> Config:
    """The configuration from file, variables and flags (None: not given).

    Raises
    ------
    ConfigError
        Naming file, line, key, value and rule.
    """
    variables = os.environ if variables is None else variables
    values = {option.key: option.default for option in OPTIONS}
    origins = {option.key: "default" for option in OPTIONS}
    _hear_others(values, origins, variables)
    path = file or Path(FILE)
    if file is not None or path.exists():
        for key, value in _from_file(path).items():
            values[key], origins[key] = value, str(path)
    for option in OPTIONS:
        if option.variable in variables and (variables[option.variable] or not option.also):
            values[option.key] = _from_text(option, variables[option.variable])
            origins[option.key] = option.variable
    for key, value in flags.items():
        if value is not None:
            option = _BY_KEY[key]
            values[key], origins[key] = _checked(option, value, f"--{key.replace('_', '-')}"), "flag"
    if values["port"] == values["serving_port"]:
        raise ConfigError(
            f"port and serving_port are both {values['port']} ({origins['port']}, {origins['serving_port']})",
            hint="web and serving each listen on a port of their own: choose another --serving-port",
        )
    return Config(
        home=_expanded(str(values["home"]), origins["home"]),
        database=values["database"],
        artifacts=None if values["artifacts"] == FOLDER else checked_place(values, origins),
        s3_direct=values["s3.direct"],
        host=values["host"],
        port=values["port"],
        serving_port=values["serving_port"],
        allowed_hosts=tuple(values["allowed_hosts"]),
        trust_pickle=values["serving.trust_pickle"],
        serving_threads=values["serving.threads"],
        mlflow_idle_stop_s=values["mlflow.idle_stop_s"],
        origins=origins,
    )


def _expanded(home: str, origin: str) -> Path:
    try:
        return Path(home).expanduser().resolve()
    except (RuntimeError, OSError) as error:  # no such user; a loop of links
        raise ConfigError(f"{origin}: home = {home!r} is no path: {error}") from error


def _hear_others(values: dict[str, Any], origins: dict[str, str], variables: Mapping[str, str]) -> None:
    for option in OPTIONS:
        for name in reversed(option.also):
            if variables.get(name):
                values[option.key] = _checked(option, variables[name], name)
                origins[option.key] = name


def _from_file(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is no file")
        text = path.read_text(encoding="utf-8-sig")
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = str(error).replace("end of document", f"end of document, line {len(text.splitlines())}")
        raise ConfigError(f"{path}: {where}", hint="see https://toml.io for the syntax") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    found = {}
    for key, value in _flat(tree):
        where = f"{path}, line {_line(text, key)}"
        option = _BY_KEY.get(key)
        if option is None:
            near = difflib.get_close_matches(key, _BY_KEY, 1)
            hint = f"did you mean {near[0]!r}?" if near else "known keys: " + ", ".join(_BY_KEY)
            raise ConfigError(f"{where}: unknown key {key!r}", hint=hint)
        found[key] = _checked(option, value, where)
    return found


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in tree.items():
        pairs += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return pairs


def _line(text: str, key: str) -> int:
    """The line on which a key stands; near enough for a message."""
    name = re.escape(key.rpartition(".")[2])
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf'\s*(?:[\w."-]+\.)?"?{name}"?\s*=', line):
            return number
    return 1


def _from_text(option: Option, text: str) -> Any:
    value: Any = text
    if option.kind is int and re.fullmatch(r"-?\d+", text.strip()):
        value = int(text)
    elif option.kind is bool and text.strip().lower() in ("true", "false", "1", "0"):
        value = text.strip().lower() in ("true", "1")
    elif option.kind is list:
        value = [part.strip() for part in text.split(",") if part.strip()]
    return _checked(option, value, option.variable)


def _checked(option: Option, value: Any, where: str) -> Any:
    right = type(value) is option.kind or (option.kind is str and isinstance(value, Path))
    if right and option.kind is list:
        right = all(isinstance(each, str) for each in value)
    if right and option.kind is str:
        right = bool(str(value)) and "\0" not in str(value)
    if right and option.starts:
        right = any(
            str(value).startswith(start) if start.endswith("://") else value == start
            for start in option.starts
        )
        value = value if right else str(value).partition(":")[0] + ":..."
    if right and option.low is not None:
        right = value >= option.low and (option.high is None or value <= option.high)
    if not right:
        value = "..." if option.secret else value
        raise ConfigError(f"{where}: {option.key} = {value!r} must be {option.rule}")
    return value
