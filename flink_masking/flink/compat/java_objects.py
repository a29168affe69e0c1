"""The Java objects behind PyFlink's, for what PyFlink's Python API does not offer; every use of its private attributes is here.

There is no way around them, so nothing falls back: a release that names them otherwise fails the submission, before a job runs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyflink.common import Configuration, WatermarkStrategy
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment, Table
from pyflink.util.java_utils import get_j_env_configuration, is_local_deployment

from flink_masking.flink.gateway import virtual_machine


def java_environment(environment: StreamExecutionEnvironment) -> Any:
    """The Java ``StreamExecutionEnvironment``."""
    return environment._j_stream_execution_environment


def java_stream(stream: DataStream) -> Any:
    """The Java ``DataStream``."""
    return stream._j_data_stream


def java_strategy(strategy: WatermarkStrategy) -> Any:
    """The Java ``WatermarkStrategy``."""
    return strategy._j_watermark_strategy


def environment_of(tables: StreamTableEnvironment) -> StreamExecutionEnvironment:
    """The environment that a table environment was made of."""
    return StreamExecutionEnvironment(tables._j_tenv.execEnv())


@contextmanager
def whole_or_nothing(tables: StreamTableEnvironment) -> Iterator[None]:
    """Where the body raises, drop the temporary views and functions and the steps of the job that it added; all others stay."""
    steps = tables._j_tenv.execEnv().getTransformations()
    count, views, functions = len(steps), set(tables.list_temporary_views()), set(tables.list_user_defined_functions())
    try:
        yield
    except BaseException:
        for view in set(tables.list_temporary_views()) - views:
            tables.drop_temporary_view(f"`{view}`")
        for function in set(tables.list_user_defined_functions()) - functions:
            tables.drop_temporary_system_function(function)
        while len(steps) > count:
            del steps[len(steps) - 1]  # from the live list; py4j's clear() of a part of it raises
        raise


def bytes_of(tables: StreamTableEnvironment, table: Table) -> DataStream:
    """The only column of a table, of BYTES, as a stream of bytes; PyFlink's own way makes rows."""
    return DataStream(tables._j_tenv.toDataStream(table._j_table, virtual_machine().org.apache.flink.table.api.DataTypes.BYTES()))


def set_job_parameter(tables: StreamTableEnvironment, name: str, value: str) -> None:
    """Add a job parameter to those that there are, whether the job is started by its tables or by its environment."""
    jvm = virtual_machine()
    option = jvm.org.apache.flink.configuration.PipelineOptions.GLOBAL_JOB_PARAMETERS
    settings, config = tables.get_config()._j_table_config, tables._j_tenv.execEnv().getConfig()
    merged = jvm.java.util.HashMap(config.getGlobalJobParameters().toMap())
    merged.putAll(settings.getOptional(option).orElse(jvm.java.util.HashMap()))
    merged.put(name, value)
    settings.set(option, merged)
    config.setGlobalJobParameters(jvm.org.apache.flink.configuration.Configuration.fromMap(merged))


def through_data_stream(environment: StreamTableEnvironment, table: Table) -> Table:
    """A table that goes through a DataStream, which the planner does not see across: what is before it is evaluated once.

    The stream is of Flink's internal rows. PyFlink's own ``to_data_stream`` and ``from_data_stream`` have a stream of external rows, into
    which every record is converted, and back.
    """
    inside = virtual_machine().Class.forName("org.apache.flink.table.data.RowData")
    kind = table._j_table.getResolvedSchema().toPhysicalRowDataType().bridgedTo(inside)
    stream = environment._j_tenv.toDataStream(table._j_table, kind)
    return Table(environment._j_tenv.fromDataStream(stream), environment)


def settings_of(environment: StreamExecutionEnvironment) -> Configuration:
    """All settings of an environment: those of ``flink run`` and of the cluster's configuration too."""
    return Configuration(j_configuration=get_j_env_configuration(java_environment(environment)))


def is_embedded(settings: Configuration) -> bool:
    """Whether a job with these settings runs on a cluster that Flink embeds in this process."""
    return bool(is_local_deployment(settings._j_configuration))


def use_worker_processes() -> None:
    """Let an embedded cluster run Python functions in processes of their own, as a real one does.

    By default they would be threads of this process and share one interpreter lock. Who has set the variable is heeded.
    """
    os.environ.setdefault("_python_worker_execution_mode", "process")
