"""MLflow's server as a child of web: started by the first request that needs it, stopped when idle, started again."""

import asyncio
import contextlib
import hashlib
import importlib.util
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from pathlib import Path
from typing import Any

import httpx

from kedge.app.config import environment
from kedge.app.processes import python
from kedge.core.errors import MissingExtra, Unavailable

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 1.0
_POLL_S = 0.05
# A request of an hour: somebody uploads a large model over a slow line.
_TIMEOUT = httpx.Timeout(3600.0, connect=10.0)

log = logging.getLogger("kedge.mlflow")


class _Noted(httpx.AsyncHTTPTransport):
    """Counts requests under way and remembers the last."""

    def __init__(self, socket: Path) -> None:
        super().__init__(
            uds=str(socket), limits=httpx.Limits(max_connections=64, max_keepalive_connections=16)
        )
        self.last_s = time.monotonic()
        self.under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        try:
            reply = await super().handle_async_request(request)
        except BaseException:
            self._ended()
            raise
        reply.stream = _Heard(reply.stream, self._ended)
        return reply

    def idle_s(self) -> float:
        """How long nobody has asked for anything; 0 while somebody does."""
        return 0.0 if self.under_way else time.monotonic() - self.last_s

    def _ended(self) -> None:
        self.under_way -= 1
        self.last_s = time.monotonic()


class _Heard(httpx.AsyncByteStream):
    """An answer's bytes; `ended` is called once, when they have been read or given up."""

    def __init__(
        self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, ended: Callable[[], None]
    ) -> None:
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("an asynchronous client has asynchronous answers")
        self._stream = stream
        self._ended: Callable[[], None] | None = ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        ended, self._ended = self._ended, None
        try:
            await self._stream.aclose()
        finally:
            if ended is not None:
                ended()


class Sidecar:
    """One MLflow server a data directory; safe for many requests at once on one event loop."""

    def __init__(self, home: Path, web_url: str, log_file: Path, idle_stop_s: float) -> None:
        self._home = home
        self._web_url = web_url
        self._log_file = log_file
        self._idle_stop_s = idle_stop_s
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._client: httpx.AsyncClient | None = None
        self._transport: _Noted | None = None
        self._folder: Path | None = None

    async def client(self) -> httpx.AsyncClient:
        """A client of the running server; starts it when it is not.

        Raises
        ------
        MissingExtra
            MLflow is not installed.
        Unavailable
            It did not come up.
        """
        if self._client is not None and self._process is not None and self._process.returncode is None:
            return self._client
        async with self._lock:
            if self._client is None or self._process is None or self._process.returncode is not None:
                await self._stop_now()
                await self._start()
        if self._client is None:
            raise Unavailable("MLflow's server stopped while it started", hint=f"see {self._log_file}")
        return self._client

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def watch(self) -> None:
        """Stop the server when nobody has asked for anything for a while; runs until cancelled."""
        while True:
            await asyncio.sleep(min(self._idle_stop_s, 10.0))
            if self._transport is not None and self._transport.idle_s() > self._idle_stop_s:
                log.info("MLflow's server is idle; stopping it", extra={"action": "idle_stop"})
                await self.stop()

    async def stop(self) -> None:
        """End it; harmless when it does not run."""
        async with self._lock:
            await self._stop_now()

    async def _start(self) -> None:
        if importlib.util.find_spec("mlflow") is None:
            raise MissingExtra("MLflow is not installed", hint='pip install "kedge[mlflow]"')
        self._folder = socket_folder(self._home)
        socket = self._folder / "mlflow.sock"
        options = ("--home", str(self._home), "--web-url", self._web_url, "--socket", str(socket))
        command = python("kedge.app.mlflow_main", *options)
        with self._log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdout=output,
                stderr=output,
                stdin=asyncio.subprocess.DEVNULL,
                # It reads artifacts through us, and so needs no keys.
                env={name: text for name, text in environment().items() if not name.startswith("KEDGE_S3_")},
            )
        self._transport = _Noted(socket)
        self._client = httpx.AsyncClient(transport=self._transport, timeout=_TIMEOUT)
        try:
            await self._ready(self._client, self._process)
        except BaseException:
            await self._stop_now()
            raise

    async def _ready(self, client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if process.returncode is not None:
                raise Unavailable(
                    f"MLflow's server ended with code {process.returncode}", hint=f"see {self._log_file}"
                )
            with contextlib.suppress(httpx.HTTPError):
                # Asking for a row makes MLflow open its store, and the first time make its tables.
                body = {"max_results": 1}
                reply = await client.post("http://mlflow/mlflow/api/2.0/mlflow/experiments/search", json=body)
                if reply.status_code == 200:
                    return
            await asyncio.sleep(_POLL_S)
        raise Unavailable(
            f"MLflow's server did not answer in {START_TIMEOUT_S:.0f} s", hint=f"see {self._log_file}"
        )

    async def _stop_now(self) -> None:
        client, process, folder = self._client, self._process, self._folder
        self._client = self._process = self._folder = self._transport = None
        if client is not None:
            await client.aclose()
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def status(self) -> MutableMapping[str, Any]:
        """For `kedge status`."""
        return {"running": self.running, "pid": self._process.pid if self._process and self.running else None}


def socket_folder(home: Path) -> Path:
    """A folder that only this user can enter, the same for the same data directory, so that kills leave no litter.

    Not in the data directory: the path of a Unix socket has room for about a hundred characters.
    """
    place = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"kedge-{os.geteuid()}-{place}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            return Path(tempfile.mkdtemp(prefix="kedge-"))  # somebody else's: it must not be trusted
        for left in folder.iterdir():
            left.unlink(missing_ok=True)
    return folder
