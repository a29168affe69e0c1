"""The image: what it is made of, what its entry point does, and that manifests and package agree on it."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from waiting import CLIENT_S

import flink_masking
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import completed
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "k8s" / "Dockerfile").read_text()
ENTRYPOINT = ROOT / "k8s" / "entrypoint.sh"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LISTS = ROOT / "k8s" / "requirements"
OPTIONS = [f"security.ssl.{side}.{what}-password" for side in ("internal", "rest") for what in ("keystore", "key", "truststore")]


def instructions():
    """Instructions of the Dockerfile, continued lines joined, comments left out."""
    lines = "\n".join(line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#"))
    return [line.split(None, 1) for line in lines.replace("\\\n", " ").splitlines() if line.strip()]


def run_entrypoint(tmp_path, *command, **environment):
    """Run the entry point over a configuration as Flink mounts it."""
    conf = tmp_path / "conf"
    conf.mkdir()
    (tmp_path / "data").mkdir()
    for name, text in {"config.yaml": "rest.port: 8081", "log4j-console.properties": "rootLogger.level = INFO\n"}.items():
        (tmp_path / "data" / name).write_text(text)
        (conf / name).symlink_to(tmp_path / "data" / name)
    conf.chmod(0o500)
    settings = {"PATH": os.environ["PATH"], "FLINK_CONF_DIR": str(conf), "FLINK_MASKING_RUN_DIR": str(tmp_path / "run"),
                "TMPDIR": str(tmp_path), **environment}
    return subprocess.run(["bash", str(ENTRYPOINT), *command], env=settings, capture_output=True, text=True, timeout=CLIENT_S, check=False)


@pytest.mark.parametrize("password", ["simple", "it's: \"odd\" $HOME #1 \\ `id`"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_passwords_join_the_configuration(tmp_path, password, end):
    """The password of the stores is added to a copy of Flink's configuration, for the owner alone, whatever characters it has."""
    (tmp_path / "password").write_text(password + end)
    done = run_entrypoint(tmp_path, "printenv", "FLINK_CONF_DIR", FLINK_MASKING_TLS_PASSWORD_FILE=str(tmp_path / "password"))
    assert (0, "") == (done.returncode, done.stderr)
    conf = Path(done.stdout.strip())
    assert {"rest.port": 8081, **dict.fromkeys(OPTIONS, password)} == yaml.safe_load((conf / "config.yaml").read_text())
    assert 0o600 == (conf / "config.yaml").stat().st_mode & 0o777
    assert "rootLogger.level = INFO\n" == (conf / "log4j-console.properties").read_text()


def test_the_entry_point_can_run_again(tmp_path):
    """A container that starts again in the same pod has each option once."""
    (tmp_path / "password").write_text("p")
    first = run_entrypoint(tmp_path, "true", FLINK_MASKING_TLS_PASSWORD_FILE=str(tmp_path / "password"))
    (tmp_path / "conf").chmod(0o700)
    shutil.rmtree(tmp_path / "conf")
    shutil.rmtree(tmp_path / "data")
    again = run_entrypoint(tmp_path, "true", FLINK_MASKING_TLS_PASSWORD_FILE=str(tmp_path / "password"))
    assert (0, 0) == (first.returncode, again.returncode)
    assert 1 == (tmp_path / "run" / "conf" / "config.yaml").read_text().count("security.ssl.internal.key-password")


@pytest.mark.parametrize("contents", [None, "", "\n"])
def test_a_missing_password_ends_in_one_line(tmp_path, contents):
    """Without a password nothing starts, and one line says where it belongs."""
    if contents is not None:
        (tmp_path / "password").write_text(contents)
    done = run_entrypoint(tmp_path, "echo", "started", FLINK_MASKING_TLS_PASSWORD_FILE=str(tmp_path / "password"))
    assert (1, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert "Hint: put it into the Secret flink-masking-tls-password" in done.stderr


def test_without_a_password_file_the_configuration_stays(tmp_path):
    """Where no file is named, as outside of Kubernetes, nothing is added."""
    done = run_entrypoint(tmp_path, "cat", str(tmp_path / "run" / "conf" / "config.yaml"))
    assert (0, "rest.port: 8081") == (done.returncode, done.stdout)


def test_the_command_takes_the_place_of_the_entry_point(tmp_path):
    """Signals reach Flink, and its exit code the kubelet: the command is executed, not called."""
    done = run_entrypoint(tmp_path, "bash", "-c", "exit 7")
    assert 7 == done.returncode
    assert ENTRYPOINT.read_text().rstrip().endswith('exec "$@"')


def test_base_images_are_named_by_digest():
    """Every stage starts from an image that the build names, with no default; one without a digest ends the build with a sentence."""
    bases = {rest.split()[0].strip("${}") for word, rest in instructions() if word == "FROM"}
    assert {"FLINK_IMAGE", "PYTHON_IMAGE"} == bases
    assert {rest for word, rest in instructions() if word == "ARG"} == bases | {"EXTRAS=", "JAR_REPOSITORY="}
    for base in bases:
        [check] = re.findall(rf'case "\${base}" in .*? esac', DOCKERFILE)
        for image, code in {"flink:2.3.0": 1, "": 1, "flink:2.3.0@sha256:0123": 0}.items():
            done = subprocess.run(["sh", "-c", check], env={base: image}, capture_output=True, text=True, timeout=CLIENT_S, check=False)
            assert (code, bool(code)) == (done.returncode, f"{base} has no digest" in done.stderr)


def test_everything_that_pip_fetches_has_a_digest():
    """Each installation from an index demands digests and builds with pinned tools; the rest reaches no index."""
    calls = re.findall(r"pip (?:install|wheel|download) [^\\&]*", "\n".join(rest for _, rest in instructions()))
    assert len(calls) == 5
    for call in calls:
        assert "--require-hashes" in call or "--no-deps" in call, call
    assert 3 == sum("--require-hashes" in call for call in calls)
    assert all("--no-index" in call or "--no-build-isolation" in call or "build.txt" in call for call in calls)


@pytest.mark.parametrize("name", [path.name for path in sorted(LISTS.glob("*.txt"))])
def test_lists_pin_versions_and_digests(name):
    """A list has nothing but versions with digests: no address of an index, no option, no version without a digest."""
    lines = (LISTS / name).read_text().replace("\\\n", " ").splitlines()
    assert lines.pop(0).startswith("#")
    assert lines
    for line in lines:
        requirement, *digests = line.split()
        assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z,]+\])?==[\w.]+", requirement), line
        assert digests
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", digest) for digest in digests), line


def test_the_image_runs_as_nobody_special():
    """The last stage ends as the user that the manifests run as; its files are root's."""
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM "):]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["9999:9999"]
    assert "--chown" not in last
    assert "ADD" not in [word for word, _ in instructions()]


def test_kernels_are_compiled_when_the_image_is_built():
    """The wheel that is installed last holds machine code; the image names no processor of its own and needs no place to compile in."""
    [steps] = [rest for word, rest in instructions() if word == "RUN" and "kernels.build" in rest]
    order = [steps.index(text) for text in ("pip install", "flink_masking.kernels.build /dist/*.whl", "--force-reinstall /dist/*.whl")]
    assert order == sorted(order)
    assert "NUMBA" not in DOCKERFILE + ENTRYPOINT.read_text()


def test_flink_is_the_one_that_the_package_asks_for(production):
    """Package, image, driver and operator's version are one Flink; the image's tag is the package's version."""
    [pin] = [Requirement(r) for r in PROJECT["dependencies"] if r.startswith("apache-flink")]
    version = str(pin.specifier).removeprefix("==")
    [deployment] = [o["spec"] for o in production if o["kind"] == "FlinkDeployment"]
    assert f"FLINK_IMAGE=flink:{version}-scala_2.12-java17@sha256:…" in DOCKERFILE
    assert f"test -e /opt/flink/lib/flink-dist-{version}.jar" in DOCKERFILE
    assert f"flink-s3-fs-presto-{version}.jar" in DOCKERFILE
    assert f"local:///opt/flink/opt/flink-python-{version}.jar" == deployment["job"]["jarURI"]
    assert "v" + version.rpartition(".")[0].replace(".", "_") == deployment["flinkVersion"]
    assert deployment["image"].endswith(f":{flink_masking.__version__}")


def test_what_the_manifests_name_is_in_the_image(production):
    """Entry point, interpreter and program stand where the Dockerfile puts them."""
    [deployment] = [o["spec"] for o in production if o["kind"] == "FlinkDeployment"]
    assert f"COPY --chmod=0755 k8s/entrypoint.sh {deployment['flinkConfiguration']['kubernetes.entry.path']}" in DOCKERFILE
    arguments = deployment["job"]["args"]
    program = arguments[arguments.index("-py") + 1]
    assert f"/src/jobs/{Path(program).name} {program}" in DOCKERFILE
    assert (ROOT / "jobs" / Path(program).name).is_file()
    interpreter = deployment["flinkConfiguration"]["python.executable"]
    assert {interpreter} == {arguments[arguments.index(o) + 1] for o in ("-pyexec", "-pyclientexec")}
    assert f"python -m venv {Path(interpreter).parents[1]}" in DOCKERFILE


def test_lists_keep_to_the_bounds_of_the_package():
    """What the image installs is one version of each dependency, inside the bounds of pyproject.toml, for every extra of a service.

    Java is part of the image; a language model is somebody's choice, and spaCy comes with it; policies are written beside a cluster.
    """
    elsewhere = ("dev", "java", "ner", "studio")
    extras = {name: needs for name, needs in PROJECT["optional-dependencies"].items() if name not in elsewhere}
    assert {path.stem for path in LISTS.glob("*.txt")} == {"base", "build"} | set(extras)
    pinned = {name: dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==(\S+)", (LISTS / f"{name}.txt").read_text(), re.MULTILINE))
              for name in ("base", *extras)}
    for name, found in pinned.items():
        assert name == "base" or not set(found) & set(pinned["base"])
        for text in PROJECT["dependencies"] if name == "base" else extras[name]:
            needed = Requirement(text)
            assert needed.specifier.contains(found[needed.name]), text


def test_the_lists_lack_nothing():
    """Whatever the dependencies that this environment has installed ask for stands in the lists: nothing is left without a digest."""
    listed = {name for path in LISTS.glob("*.txt") for name in re.findall(r"^([a-z0-9.-]+)(?:\[|==)", path.read_text(), re.MULTILINE)}
    seen, left = set(), [canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                left.append(canonicalize_name(needed.name))
    assert len(seen) > 60
    assert set() == seen - listed


def test_policy_and_deployment_of_the_example_fit(production, tmp_path):
    """The example that the manifests carry is sound, names a sink for each of its views, and leaves the connector to the image."""
    [config] = [o["data"] for o in production if o["kind"] == "ConfigMap" and "policy.yaml" in o["data"]]
    for name, text in config.items():
        (tmp_path / name).write_text(text)
    loaded = load(PolicySource.read(tmp_path / "policy.yaml"))
    assert loaded.warnings == []
    deployment = completed(Deployment.read(tmp_path / "deployment.yaml"), loaded.policy.stream)
    deployment.require([*loaded.policy.segments, "audit", "quarantine"])
    delivery = {name: sink.get("sink.delivery-guarantee") for name, sink in deployment.sinks.items()}
    assert set(delivery.values()) == {"exactly-once"}
    assert deployment.jars == ()
    assert "flink-masking jars --into /jars" in DOCKERFILE
    assert "COPY --from=builder /jars /opt/flink/lib" in DOCKERFILE
