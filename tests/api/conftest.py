"""The data routes on a real port, and a plain HTTP client."""

import httpx
import pytest
from tests.client.web import Switch, open_web, served


@pytest.fixture(scope="session")
def port():
    """One server for all tests: its address, and where the application of the test is put."""
    switch = Switch()
    with served(switch) as url:
        yield url, switch


@pytest.fixture
def web(tmp_path):
    opened = open_web(tmp_path / "home")
    yield opened
    opened.database.close()


@pytest.fixture
def http(web, port):
    url, switch = port
    switch.app = web.app()
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client
