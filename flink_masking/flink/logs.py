"""Logs as JSON: Log4j configurations that come with the package.

Python workers hand their log records to the TaskManager's logger, which writes them with its own: one configuration serves both.
"""

import logging
import os
from pathlib import Path
from typing import Literal

Format = Literal["text", "json"]


def log4j_configuration(console: bool = False) -> Path:
    """The file for Log4j 2 that writes JSON, to the process's log file or to the console."""
    return Path(__file__).parent / "log4j" / ("json-console.properties" if console else "json.properties")


def without_file_systems() -> None:
    """Drop Beam's warnings that it cannot load file systems of clouds, which Flink does not use; all other messages stay."""
    logging.getLogger("apache_beam.io.filesystems").addFilter(_is_of_use)


def _is_of_use(record: logging.LogRecord) -> bool:
    return "loading of this filesystem will be skipped" not in record.getMessage()


def use(wanted: Format) -> None:
    """Make the Java virtual machine that this process is going to start write its log so; what the environment names goes first."""
    if wanted == "json":
        os.environ.setdefault("LOG4J_PROPERTIES", str(log4j_configuration()))
