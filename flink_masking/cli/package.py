"""``flink-masking package``: builds the archive that `flink run` ships to the workers of a cluster."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.options import Json


def package(
    output: Annotated[Path, typer.Option("--output", help="The archive, a file ending in .zip.")] = Path("flink-masking.zip"),
    extra: Annotated[list[str] | None, typer.Option("--extra", help="An extra that the workers need, such as postgres or vault.")] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="Leave out what the workers of this policy do not need.")] = None,
    json_: Json = False,
) -> None:
    """Pack this installation for the workers of a cluster on which only Python is installed."""
    from flink_masking.archive import PYTHON, write_archive
    from flink_masking.cli.console import err, out, print_json
    from flink_masking.cli.progress import waiting
    from flink_masking.kernels import SHIPPED

    aggregates = policy is None or _aggregates(policy)
    if not SHIPPED.is_dir():
        err.print("This installation brings no compiled kernels: each machine compiles them at its first start.", soft_wrap=True)
    with waiting("Packing"):
        size = write_archive(output, extra or (), aggregates)
    command = f"flink run -pyclientexec {sys.executable} -py jobs/fan_out.py --archive {output} …"
    if json_:
        print_json({"archive": str(output), "bytes": size, "python": PYTHON, "command": command})
        return
    out.print(f"{output}: {size / 1e6:,.0f} MB; the workers need {PYTHON} on their PATH", soft_wrap=True)
    out.print(command, soft_wrap=True, markup=False, highlight=False)


def _aggregates(policy: Path) -> bool:
    """Whether a policy, which is checked, has aggregated segments."""
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    return any(segment.view == "aggregated" for segment in load(PolicySource.read(policy)).policy.segments.values())
