"""An S3 server of the tests' own: Ceph's object gateway from Debian's packages, on a cluster of one in memory.

Emulations take any secret for right; this one refuses a wrong signature, as every server does that people store things on.
"""

import itertools
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import httpx
import pytest

from kedge.core.clock import SystemClock
from kedge.storage.s3_signing import S3Place, presigned

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
PACKAGES = "ceph-common ceph-mon ceph-osd radosgw"
KEY, SECRET = "KEDGETESTKEY", "geheim-Kedge/Test+Secret"
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{mon}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
ms bind port min = {first}
ms bind port max = {last}
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
osd class load list = *
osd class default list = *
memstore device bytes = 4294967296
mon allow pool size one = true
mon data avail crit = 0
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
pid file = {folder}/run/$name.pid
log file = {folder}/log/$name.log
crash dir = {folder}/run
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/run
rgw thread pool size = 16
"""


class Gateway:
    """A server in a folder of its own; `stop` and `start` are for tests of what happens then."""

    def __init__(self, ports: list[int]) -> None:
        missing = [each for each in PROGRAMS if shutil.which(each) is None]
        if missing:
            pytest.fail(
                f"Ceph is missing: sudo apt-get install -y --no-install-recommends {PACKAGES}", pytrace=False
            )
        self._folder = Path(tempfile.mkdtemp(prefix="kedge-s3-"))
        for each in ("mon", "osd", "run", "log"):
            (self._folder / each).mkdir()
        self.port, mon, self._first = ports
        self._fsid = str(uuid.uuid4())
        self._mon = mon
        values = {"fsid": self._fsid, "mon": mon, "first": self._first, "last": self._first + 20}
        text = CONFIGURATION.format(**values, folder=self._folder, port=self.port)
        (self._folder / "ceph.conf").write_text(text)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._numbers = itertools.count()
        try:
            self._make_cluster()
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def variables(self, bucket: str, prefix: str = "kept/here") -> dict[str, str]:
        """What tells Kedge to keep artifacts in a bucket."""
        return {
            "KEDGE_ARTIFACTS": f"s3://{bucket}/{prefix}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def place(self, bucket: str, prefix: str = "kept/here", secret: str = SECRET) -> S3Place:
        """The same for stores."""
        return S3Place(
            bucket=bucket, prefix=prefix, endpoint=self.endpoint, access_key_id=KEY, secret_access_key=secret
        )

    def new_bucket(self) -> str:
        """The name of a new bucket."""
        name = f"test-{next(self._numbers)}"
        assert self.ask("PUT", name).status_code == 200
        return name

    def ask(
        self, method: str, bucket: str, key: str = "", query: dict[str, str] | None = None
    ) -> httpx.Response:
        """Ask the server itself, not through Kedge."""
        place = self.place(bucket, "")
        return httpx.request(
            method,
            presigned(place, method, key, query or {}, SystemClock().now_ms(), expires_s=60),
            timeout=30,
        )

    def keys(self, bucket: str) -> list[str]:
        """All objects of a bucket (the first thousand)."""
        return _between(self.ask("GET", bucket, query={"list-type": "2"}).text, "Key")

    def uploads(self, bucket: str) -> list[str]:
        """Multipart uploads that are neither completed nor aborted."""
        return _between(self.ask("GET", bucket, query={"uploads": ""}).text, "Key")

    def start(self) -> None:
        """Start the gateway, and wait until it answers."""
        self._launch("radosgw", "-n", "client.rgw", "-f")
        self._wait(lambda: httpx.get(self.endpoint, timeout=5).status_code == 200, "radosgw", 60)

    def stop(self) -> None:
        """Stop the gateway; what it stored stays in the cluster.

        Not by a kill: the next one would wait half a minute for the first before it makes a bucket.
        """
        self._end("radosgw", signal.SIGTERM)

    def remove(self) -> None:
        """Stop everything and delete."""
        for name in list(self._running):
            self._end(name, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make_cluster(self) -> None:
        monmap = str(self._folder / "monmap")
        address = f"[v1:127.0.0.1:{self._mon}]"
        self._run("monmaptool", "--create", "--clobber", "--fsid", self._fsid, "--addv", "a", address, monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._launch("ceph-mon", "-i", "a", "-f")
        self._wait(lambda: self._run("ceph", "--connect-timeout", "2", "mon", "stat") != "", "ceph-mon", 30)
        self._run("ceph", "osd", "create")
        self._run("ceph-osd", "-i", "0", "--mkfs")
        self._run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=h")
        self._launch("ceph-osd", "-i", "0", "-f")
        self._wait(lambda: "1 up" in self._run("ceph", "osd", "stat"), "ceph-osd", 60)
        user = ["--uid=kedge", "--display-name=kedge", f"--access-key={KEY}", f"--secret-key={SECRET}"]
        self._run("radosgw-admin", "user", "create", *user)

    def _run(self, program: str, *arguments: str) -> str:
        command = [program, "--conf", str(self._folder / "ceph.conf"), *arguments]
        if program == "monmaptool":
            command = [program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self._folder)
        if done.returncode:
            raise OSError(f"{program}: {done.stderr[-2000:]}")
        return done.stdout

    def _launch(self, program: str, *arguments: str) -> None:
        command = [program, "--conf", str(self._folder / "ceph.conf"), *arguments]
        with (self._folder / "log" / f"{program}.out").open("ab") as log:
            self._running[program] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)

    def _end(self, program: str, number: signal.Signals) -> None:
        process = self._running.pop(program, None)
        if process is not None:
            process.send_signal(number)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    def _wait(self, condition, program: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if condition():
                    return
            except (OSError, subprocess.TimeoutExpired, httpx.HTTPError):
                pass
            if self._running[program].poll() is not None:
                # Seen once in a while at the first start of all: it ends, and the next one runs.
                command = self._running[program].args
                with (self._folder / "log" / f"{program}.out").open("ab") as log:
                    self._running[program] = subprocess.Popen(
                        command, stdout=log, stderr=log, cwd=self._folder
                    )
            if time.monotonic() > deadline:
                pytest.fail(f"{program} does not answer:\n" + self._log(program), pytrace=False)
            time.sleep(0.1)

    def _log(self, program: str) -> str:
        return (self._folder / "log" / f"{program}.out").read_text(errors="replace")[-3000:]


def _between(text: str, name: str) -> list[str]:
    return [part.partition(f"</{name}>")[0] for part in text.split(f"<{name}>")[1:]]
