"""A private PostgreSQL server on a free port, for tests and benchmarks."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from waiting import CLIENT_S

from flink_masking.ports import free_ports

PASSWORD = "Kq7-not-to-be-shown"
_NUMBERS = itertools.count()


def binaries() -> Path | None:
    """The directory with initdb and postgres, the newest of Debian's, or None."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found, key=lambda path: float(path.parent.name), default=Path(on_path).resolve().parent if on_path else None)


def _account() -> dict[str, Any]:
    """For subprocess: the server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class PostgresServer:
    """The server; `with` starts it and takes it away with all its data."""

    def __init__(self, host: str = "127.0.0.1", **settings: str) -> None:
        """Nothing is made yet.

        Args:
            host: the address that it listens on.
            settings: of the server, besides its own.
        """
        self.host, self._settings = host, settings

    def __enter__(self) -> Self:
        """Make a cluster and start it."""
        programs = binaries()
        assert programs is not None
        self._programs, self._account = programs, _account()
        self._place = Path(tempfile.mkdtemp(prefix="flink-masking-pg-"))
        [self.port] = free_ports(1)
        secret = self._place / "password"
        secret.write_text(PASSWORD)
        if self._account:
            for path in (self._place, secret):
                os.chown(path, self._account["user"], self._account["group"])
        cluster = ["-D", self._place / "data", "-U", "owner", f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale"]
        subprocess.run([programs / "initdb", "--no-sync", *cluster], check=True, capture_output=True, cwd="/", **self._account)
        self.start()
        return self

    def start(self) -> None:
        """Start the server, which leaves writing to the system (-F), and wait until it answers."""
        options = ["-D", self._place / "data", "-F", "-p", str(self.port), "-k", self._place, "-c", f"listen_addresses={self.host}"]
        for name, value in self._settings.items():
            options += ["-c", f"{name}={value}"]
        with (self._place / "log").open("ab") as log:
            self._process = subprocess.Popen([self._programs / "postgres", *options], stdout=log, stderr=log, cwd="/", **self._account)
        while self._process.poll() is None:
            try:
                psycopg.connect(self.uri("postgres")).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError((self._place / "log").read_text())

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop the server: SIGINT throws connections out, SIGQUIT is as a crash."""
        self._process.send_signal(how)
        self._process.wait(CLIENT_S)

    def uri(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://owner:{PASSWORD}@{self.host}:{self.port}/{database}"

    def database(self) -> str:
        """The address of a new database."""
        name = f"vault{next(_NUMBERS)}"
        with psycopg.connect(self.uri("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.uri(name)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the server and remove its data."""
        if self._process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self._place, ignore_errors=True)
