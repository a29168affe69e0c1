"""Where a sealer finds events: files that runs and commands write."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flink_masking.errors import InputError
from flink_masking.files.opened import data_files


class FileSource:
    """The audit files of a directory, or one file; whole lines only, each once."""

    def __init__(self, path: Path) -> None:
        """Keep the place.

        Args:
            path: an audit directory, the output directory of a run, which has one and files ``*.audit.jsonl`` beside it, or a file.
        """
        self.path = path

    def read(self, positions: Mapping[str, Any], most: int) -> tuple[list[bytes], dict[str, int]]:
        """The next lines.

        Args:
            positions: bytes that have been read of each file.
            most: number of lines.

        Returns:
            The lines without their ends, and the positions behind them, of files from which there are any.

        Raises:
            InputError: a file is shorter than what was read of it.
        """
        lines, reached = list[bytes](), dict[str, int]()
        for file in self.files():
            name = str(file.resolve())
            begin = int(positions.get(name, 0))
            if len(lines) >= most:
                break
            try:
                opening = file.open("rb")
            except FileNotFoundError:
                continue  # it was removed after it was listed
            with opening as opened:
                if opened.seek(0, 2) < begin:
                    raise InputError(f"{file}: it is shorter than what was sealed of it. Hint: it was cut; the log has what was there. "
                                     "Move it elsewhere")
                opened.seek(begin)
                for line in opened:
                    if not line.endswith(b"\n") or len(lines) >= most:
                        break
                    begin += len(line)
                    if line.strip():
                        lines.append(line[:-1])
                    reached[name] = begin
        return lines, reached

    def bytes(self, positions: Mapping[str, Any] | None = None) -> int:
        """Bytes of the files that are there now; with positions, those that were read of them."""
        files = self.files()
        return sum(_size(file) for file in files) if positions is None else sum(
            int(positions.get(str(file.resolve()), 0)) for file in files)

    def files(self) -> list[Path]:
        """The files that are there now."""
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            return []  # a job that has not written anything yet
        inside = self.path / "audit"
        if inside.is_dir():
            # Not by glob, which passes over what it cannot list.
            beside = sorted(path for path in self.path.iterdir() if path.name.endswith(".audit.jsonl"))
            return [*data_files(inside), *beside]
        return data_files(self.path)


def _size(file: Path) -> int:
    """Bytes of a file; 0 where it was removed."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
