"""The first lines of a view's files, for formats that name their columns there."""

import os
import shutil
from pathlib import Path

from flink_masking.engine.plan import Plan
from flink_masking.files.opened import data_files


def add_headers(plan: Plan, output: Path) -> None:
    """Put the header in front of every file of every view of a finished run; does nothing for a format without headers.

    Args:
        plan: the compiled policy.
        output: the run's directory.
    """
    for name in [*(s.name for s in plan.masked), *(s.name for s in plan.stateful)]:
        header = plan.codec.header(plan.columns(name))
        for file in data_files(output / name) if header else []:
            beside = file.with_name(f".{file.name}.header")
            with beside.open("xb") as written, file.open("rb") as rows:
                os.fchmod(written.fileno(), file.stat().st_mode & 0o777)
                written.write(header)
                shutil.copyfileobj(rows, written, 1 << 20)
            beside.replace(file)
