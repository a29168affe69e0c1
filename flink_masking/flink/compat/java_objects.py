"""The Java objects behind PyFlink's, for what PyFlink's Python API does not offer; every use of its private attributes is here.

There is no way around them, so nothing falls back: a release that names them otherwise fails the submission, before a job runs.
"""

import os
from typing import Any

from pyflink.common import Configuration, WatermarkStrategy
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.util.java_utils import get_j_env_configuration, is_local_deployment


def java_environment(environment: StreamExecutionEnvironment) -> Any:
    """The Java ``StreamExecutionEnvironment``."""
    return environment._j_stream_execution_environment


def java_stream(stream: DataStream) -> Any:
    """The Java ``DataStream``."""
    return stream._j_data_stream


def java_strategy(strategy: WatermarkStrategy) -> Any:
    """The Java ``WatermarkStrategy``."""
    return strategy._j_watermark_strategy


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
