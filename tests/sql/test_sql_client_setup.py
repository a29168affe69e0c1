"""flink-masking sql client-setup: the jar that Flink's SQL client lacks, put where it looks, or into a home beside it."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from waiting import CLIENT_S

from flink_masking.errors import InputError, JobError
from flink_masking.jars import Artifact, JarCache
from flink_masking.sql import client
from flink_masking.sql.client import flink_home, set_up

BODY = b"the gateway"
JAR = Artifact("org.apache.flink", "flink-sql-gateway", "9.9.9", hashlib.sha256(BODY).hexdigest())
NAME = "flink-sql-gateway-9.9.9.jar"
NOBODY = 65_534


@pytest.fixture
def place():
    """A folder that other users may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(place):
    """A distribution like PyFlink's: a client and no gateway."""
    found = place / "flink"
    for name in ("bin/sql-client.sh", "bin/config.sh", "conf/config.yaml", "lib/flink-dist-9.9.9.jar", "opt/flink-sql-client-9.9.9.jar",
                 "plugins/README.txt"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text(name)
    return found


@pytest.fixture
def jars(place, monkeypatch):
    """A cache that has the jar, and a table that knows it."""
    monkeypatch.setattr(client, "GATEWAYS", {"9.9.9": JAR})
    cache = place / "cache" / "jars"
    (cache / JAR.path).parent.mkdir(parents=True)
    (cache / JAR.path).write_bytes(BODY)
    return JarCache(cache, offline=True)


def tree(folder):
    """Every file of a folder, with its time."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_the_jar_is_put_into_the_distribution(home, jars):
    """The jar lies in opt, readable by all, with nothing half written beside it; doing it again changes nothing."""
    found = set_up(home, jars)
    assert home / "bin" / "sql-client.sh" == found.script
    assert BODY == (home / "opt" / NAME).read_bytes()
    assert 0o644 == (home / "opt" / NAME).stat().st_mode & 0o777
    assert {NAME, "flink-sql-client-9.9.9.jar"} == {path.name for path in (home / "opt").iterdir()}
    before = tree(home)
    assert f"{home / 'opt' / NAME} already exists" in set_up(home, jars).notes
    assert before == tree(home)


def test_a_distribution_with_a_gateway_of_its_own_stays(home, jars):
    """A jar that is there is not replaced, whoever built it; that it is another one is said."""
    (home / "opt" / NAME).write_bytes(b"another build")
    found = set_up(home, jars)
    assert "stays, though it is not the file of Maven Central" in found.notes[0]
    assert b"another build" == (home / "opt" / NAME).read_bytes()


@pytest.mark.parametrize("asked", [True, False])
def test_a_home_beside_a_distribution_that_cannot_be_written(place, home, jars, monkeypatch, asked):
    """Asked for, or where opt cannot be written, a Flink home is made elsewhere: its own scripts and settings, links, and the jar."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "mine"))
    (place / "mine").mkdir()
    before = tree(home)
    if os.getuid() == 0:  # who may write anywhere
        os.chown(place / "mine", NOBODY, NOBODY)
        os.seteuid(NOBODY)
    else:
        (home / "opt").chmod(0o555)
    try:
        made = set_up(home, jars, place / "mine" / "home" if asked else None)
        again = set_up(home, jars, place / "mine" / "home" if asked else None)
        assert made.script == again.script
        assert ("was made in" if asked else "cannot be written (Permission denied), so a Flink home was made in") in made.notes[0]
        assert "is in" in again.notes[0] and again.notes[0].endswith(" already")
        own = made.script.parents[1]
        assert (place / "mine" / "home" == own) is asked
        assert own.is_relative_to(place / "mine")
        assert not made.script.is_symlink()
        assert "bin/sql-client.sh" == made.script.read_text()
        assert "conf/config.yaml" == (own / "conf" / "config.yaml").read_text()
        assert BODY == (own / "opt" / NAME).read_bytes()
        assert {home / "opt" / "flink-sql-client-9.9.9.jar", home / "lib" / "flink-dist-9.9.9.jar", home / "plugins"} == {
            path.readlink() for path in (*(own / "opt").iterdir(), *(own / "lib").iterdir(), own / "plugins") if path.is_symlink()}
        (own / "conf" / "config.yaml").write_text("mine")
        (own / "opt" / NAME).write_bytes(b"cut short")
        set_up(home, jars, own if asked else None)
        assert ("mine", BODY) == ((own / "conf" / "config.yaml").read_text(), (own / "opt" / NAME).read_bytes())
    finally:
        os.seteuid(os.getuid())
        (home / "opt").chmod(0o755)
    assert before == tree(home)


def test_a_directory_with_something_else_is_left_alone(place, home, jars):
    """A Flink home is made in an empty or new directory, or in the one that was made before, of the same distribution."""
    (place / "other").mkdir()
    (place / "other" / "file").write_text("x")
    with pytest.raises(InputError, match=r"holds something else. Hint: name an empty or new one"):
        set_up(home, jars, place / "other")
    assert ["file"] == [path.name for path in (place / "other").iterdir()]
    with pytest.raises(JobError, match=r"a Flink home cannot be made there \(.*\)\. Hint: name a directory that you can write"):
        set_up(home, jars, Path("/proc/nowhere"))


def test_a_jar_that_cannot_be_had_leaves_nothing(home, jars, place):
    """Without the jar the error says where it may be put, and the distribution is as it was."""
    (place / "cache" / "jars" / JAR.path).unlink()
    before = tree(home)
    with pytest.raises(JobError, match=r"org.apache.flink:flink-sql-gateway:9.9.9 is missing. Hint: "):
        set_up(home, jars)
    assert before == tree(home)


def test_another_version_of_flink_is_named(home):
    """A version whose jar is not known by checksum is an error that names those that are."""
    with pytest.raises(InputError, match=r"Flink 9\.9\.9 is none whose SQL gateway is known by checksum\. Hint: known are 2\.3\.0; put "):
        set_up(home, JarCache(offline=True))


def test_which_distribution_is_meant(home, place):
    """An option comes before FLINK_HOME, that before PyFlink's own; what has no client is refused under the name it was given by."""
    assert home == flink_home(home, {"FLINK_HOME": "/nowhere"})
    assert home == flink_home(None, {"FLINK_HOME": str(home)})
    assert "pyflink" == flink_home(None, {}).name
    with pytest.raises(InputError, match=r"--flink-home: .* has no SQL client"):
        flink_home(place, {})
    with pytest.raises(InputError, match=r"FLINK_HOME: .* has no SQL client"):
        flink_home(None, {"FLINK_HOME": str(place)})


def test_the_table_knows_the_flink_of_the_package():
    """The version of Flink that the package depends on has its gateway's checksum, and the command says what it lacks offline."""
    [dist] = (flink_home(None, {}) / "lib").glob("flink-dist-*.jar")
    assert dist.stem.removeprefix("flink-dist-") in client.GATEWAYS
    command = [Path(sys.executable).with_name("flink-masking"), "sql", "client-setup", "--offline", "--into", "/proc/nowhere"]
    environment = {**os.environ, "XDG_CACHE_HOME": "/nowhere", "FLINK_HOME": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CLIENT_S, check=False)
    assert (1, "") == (done.returncode, done.stdout)
    assert "org.apache.flink:flink-sql-gateway:2.3.0 is missing" in done.stderr
