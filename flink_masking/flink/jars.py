"""The jars that a deployment's job takes along to Flink."""

from collections.abc import Iterable
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from flink_masking.deployment.model import Deployment
from flink_masking.flink.compat.beam_services import services_jar
from flink_masking.flink.compat.java_objects import is_embedded, settings_of
from flink_masking.jars import JarCache, needed

GIVEN = "pipeline.jars"
"""Flink's own setting; a deployment that uses it lists all of its jars."""


def job_jars(deployment: Deployment, cache: JarCache | None = None) -> list[Path]:
    """The jars on this machine, fetched and verified.

    Args:
        deployment: its connectors, and what it names itself.
        cache: where jars are kept; the user's unless given.

    Raises:
        InputError: the deployment names a jar in a form that is none.
        JobError: a jar cannot be had.
    """
    if GIVEN in deployment.flink:
        return []
    cache = cache or JarCache()
    return [cache.resolve(jar) for jar in needed(deployment.connectors, deployment.jars)]


def take_jars(environment: StreamExecutionEnvironment, jars: Iterable[Path]) -> None:
    """Let the job take jars along, beside those that the settings and ``flink run`` name: Beam's services before PyFlink's own jar.

    Args:
        environment: of the job.
        jars: on this machine.

    Raises:
        JobError: Beam's services cannot be made from the installed PyFlink.
    """
    if urls := [jar.resolve().as_uri() for jar in jars]:
        environment.add_jars(*urls)
    settings = settings_of(environment)
    if is_embedded(settings):
        return  # one class path for all: `put_on_class_path`
    taken, services = Configuration.parse_list_value(settings.get_string(GIVEN, "")), services_jar().as_uri()
    if services in taken:
        return
    first = Configuration()
    first.set_string(GIVEN, str([services, *taken]))
    environment.configure(first)
