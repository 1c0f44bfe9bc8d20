"""Configuration: origins, and errors that name file, line, key, value and rule."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kedge.app.config import OPTIONS, read_config, without_secrets
from kedge.core.errors import ConfigError


def test_flags_win_over_variables_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kedge.toml"
    file.write_text(
        'home = "from-file"\nport = 1000\nserving_port = 1001\n\n[serving]\ntrust_pickle = true\n'
    )
    config = read_config({"port": 3000}, file, {"KEDGE_PORT": "2000", "KEDGE_SERVING_PORT": "2001"})
    assert (config.home.name, config.port, config.serving_port) == ("from-file", 3000, 2001)
    assert config.trust_pickle
    assert config.origins["home"] == str(file)
    assert config.origins["port"] == "flag"
    assert config.origins["serving_port"] == "KEDGE_SERVING_PORT"
    assert config.origins["host"] == "default"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = 99999", ["kedge.toml, line 1", "port = 99999", "1 to 65535"]),
        ('\n\nport = "x"', ["line 3", "'x'"]),
        ("prot = 5000", ["line 1", "'prot'", "did you mean 'port'"]),
        ("[mlflow]\nidle_stop_s = 1", ["line 2", "mlflow.idle_stop_s = 1"]),
        ("[serving]\nthreads = 0", ["line 2", "serving.threads = 0", "1 or more"]),
        ("port = ", ["kedge.toml", "line 1"]),
        ("port = true", ["True", "a port"]),
        ('home = ""', ["home", "a folder"]),
        ("allowed_hosts = [1]", ["allowed_hosts", "[1]"]),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "kedge.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config({}, file, {})
    for word in words:
        assert word in str(caught.value)


def test_a_broken_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"KEDGE_PORT: port = 'abc'"):
        read_config({}, None, {"KEDGE_PORT": "abc"})


def test_a_missing_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config({}, tmp_path / "none.toml", {})


def test_where_artifacts_are(tmp_path: Path) -> None:
    assert read_config({}, None, {}).artifacts is None
    file = tmp_path / "kedge.toml"
    file.write_text(
        'artifacts = "s3://bucket/some/where/"\n[s3]\nendpoint = "http://ceph:8000"\nregion = "here"\ndirect = false\n'
        'access_key_id = "me"\nsecret_access_key = "geheim"\n'
    )
    aws = {"AWS_ENDPOINT_URL": "http://other", "AWS_ACCESS_KEY_ID": "other", "AWS_SESSION_TOKEN": "others"}
    config = read_config({}, file, aws)
    assert config.artifacts is not None
    assert (config.artifacts.bucket, config.artifacts.prefix) == ("bucket", "some/where")
    assert (config.artifacts.endpoint, config.artifacts.region) == ("http://ceph:8000", "here")
    assert (config.artifacts.access_key_id, config.artifacts.secret_access_key) == ("me", "geheim")
    assert config.artifacts.session_token == ""  # it belongs to the other key
    assert not config.s3_direct
    assert "geheim" not in repr(config) + json.dumps(config.values())
    assert config.origins["s3.endpoint"] == str(file)
    assert config.told()["KEDGE_S3_SECRET_ACCESS_KEY"] == "geheim"
    steps = without_secrets({"PATH": "/bin", "AWS_PROFILE": "mine", **config.told()})
    assert steps == {"PATH": "/bin", "AWS_PROFILE": "mine", "KEDGE_ARTIFACTS": "s3://bucket/some/where"}


def test_what_other_tools_call_it_counts_where_nothing_of_ours_does() -> None:
    variables = {
        "KEDGE_ARTIFACTS": "s3://bucket",
        "AWS_ENDPOINT_URL": "http://all",
        "AWS_ENDPOINT_URL_S3": "https://s3",
        "AWS_DEFAULT_REGION": "there",
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "geheim",
        "AWS_SESSION_TOKEN": "token",
    }
    config = read_config({}, None, variables)
    assert config.artifacts is not None
    assert config.artifacts.endpoint == "https://s3"
    assert config.origins["s3.endpoint"] == "AWS_ENDPOINT_URL_S3"
    assert (config.artifacts.region, config.artifacts.session_token) == ("there", "token")
    assert read_config({}, None, {**variables, "KEDGE_S3_REGION": "ours"}).artifacts.region == "ours"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"KEDGE_ARTIFACTS": "gs://me:geheim@x"}, "s3://bucket/prefix"),
        ({"KEDGE_ARTIFACTS": "folders"}, "s3://bucket/prefix"),
        ({"KEDGE_ARTIFACTS": "s3:///x"}, "names no bucket"),
        ({"KEDGE_ARTIFACTS": "s3://b-1", "AWS_SECRET_ACCESS_KEY": "geheim"}, "go together"),
        ({"KEDGE_ARTIFACTS": "s3://b-1", "KEDGE_S3_ENDPOINT": "http://me:geheim@x"}, "nothing else"),
        ({"KEDGE_S3_SECRET_ACCESS_KEY": "geheim\0"}, "s3.secret_access_key"),
        ({"KEDGE_S3_ENDPOINT": "ftp://x"}, "http://host:port"),
    ],
)
def test_a_wrong_place_for_artifacts_is_told_without_secrets(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config({}, None, variables)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.acceptance
def test_the_command_prints_values_with_their_origin(tmp_path: Path) -> None:
    (tmp_path / "kedge.toml").write_text("port = 6000\n")
    command = [sys.executable, "-m", "kedge.app.main", "config", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    assert rows["port"] == {"value": 6000, "origin": "kedge.toml"}
    assert set(rows) == {option.key for option in OPTIONS}


@pytest.mark.acceptance
def test_a_broken_file_is_one_line_and_exit_1(tmp_path: Path) -> None:
    (tmp_path / "kedge.toml").write_text("porrt = 6000\n")
    done = subprocess.run(
        [sys.executable, "-m", "kedge.app.main", "up"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "kedge.toml, line 1: unknown key 'porrt'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "kedge-data").exists()
