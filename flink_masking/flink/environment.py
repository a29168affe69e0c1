"""The environment that jobs of this library run in, on a cluster or embedded in this process."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pyflink.datastream import StreamExecutionEnvironment

from flink_masking.errors import InputError
from flink_masking.flink.compat.beam_services import put_on_class_path
from flink_masking.flink.compat.java_objects import use_worker_processes
from flink_masking.flink.jars import take_jars
from flink_masking.flink.settings import stream_environment as configured
from flink_masking.java import java_home

_SUBMITTED = "PYFLINK_GATEWAY_PORT"
"""Set by ``flink run`` for the script that it runs; Java runs already."""


def stream_environment(settings: Mapping[str, str] | None = None, jars: Iterable[Path] = (),
                       archive: Path | None = None) -> StreamExecutionEnvironment:
    """An environment in which Python workers listen to this host only, with the settings that this library was measured with.

    It takes the place of ``StreamExecutionEnvironment.get_execution_environment()``, and of the first thing in a process that starts Java.

    Args:
        settings: Flink settings, before those of ``flink run`` and of the cluster; the library's defaults come last.
        jars: of connectors and formats, on this machine.
        archive: that the workers run from, made by ``flink-masking package``. As ``flink run -pyarch ARCHIVE -pyexec NAME/bin/python``,
            but only the workers unpack it; by ``-pyarch`` the client does, too, and before anything else.

    Raises:
        InputError: there is no such archive.
        JobError: there is no Java for an embedded cluster, or the installed PyFlink is another release.
    """
    if archive is not None and not (archive.suffix == ".zip" and archive.is_file()):
        raise InputError(f"{archive}: no archive for workers. Hint: make one: flink-masking package --output {archive.with_suffix('.zip')}")
    if _SUBMITTED not in os.environ:
        os.environ.setdefault("JAVA_HOME", str(java_home()))
    use_worker_processes()
    put_on_class_path()
    environment = configured(settings or {})
    take_jars(environment, jars)
    if archive is not None:
        environment.add_python_archive(str(archive.resolve()), archive.name)
        environment.set_python_executable(f"{archive.name}/bin/python")
    return environment
