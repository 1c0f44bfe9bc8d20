"""A platform's data routes on a real port, and the SDK connected to it."""

import pytest
from tests.client.web import Switch, open_web, served

from kedge.client import connection


@pytest.fixture(scope="session")
def port():
    """One server for all tests: its address, and where the application of the test is put."""
    switch = Switch()
    with served(switch) as url:
        yield url, switch


@pytest.fixture
def web(tmp_path_factory):
    opened = open_web(tmp_path_factory.mktemp("home"))
    yield opened
    opened.database.close()


@pytest.fixture
def sdk(web, port, monkeypatch):
    """`kedge` connected, outside of a step; afterwards as before."""
    url, switch = port
    switch.app = web.app()
    monkeypatch.delenv("KEDGE_PIPELINE_RUN", raising=False)
    monkeypatch.delenv("KEDGE_STEP", raising=False)
    monkeypatch.setattr(connection, "_shared", None)
    made = connection.connect(url)
    yield made
    made.close()
