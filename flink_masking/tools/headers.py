"""What a view's files begin with, for formats that name their columns or hold their schema there."""

import os
from importlib import import_module
from pathlib import Path

from flink_masking.engine.plan import Plan
from flink_masking.files.opened import data_files
from flink_masking.records.codec import FORMATS


def add_headers(plan: Plan, output: Path) -> None:
    """Put the header in front of every file of every view of a finished run, or lengths in front of records, as the format has it.

    Args:
        plan: the compiled policy.
        output: the run's directory.
    """
    put_header = import_module(FORMATS[plan.policy.format].package + ".files").put_header
    masked = {segment.name for segment in plan.masked}
    for name in [*masked, *(s.name for s in plan.stateful)]:
        header = plan.codec.header(plan.columns(name))
        lengths = FORMATS[plan.policy.format].lengths and name in masked
        for file in data_files(output / name) if header or lengths else []:
            beside = file.with_name(f".{file.name}.header")
            with beside.open("xb") as written, file.open("rb") as rows:
                os.fchmod(written.fileno(), file.stat().st_mode & 0o777)
                put_header(header, rows, written)
            beside.replace(file)
