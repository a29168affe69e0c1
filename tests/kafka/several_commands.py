"""Runs several commands of ``flink-masking`` in one process, which starts Java once: exit code, stdout and stderr of each, as JSON.

The only argument is a JSON list of lists of arguments.
"""

import contextlib
import io
import json
import sys
from typing import Any

from flink_masking.cli import console, main

if __name__ == "__main__":
    done: list[list[Any]] = []
    for arguments in json.loads(sys.argv[1]):
        sys.argv[1:] = arguments
        code: Any = 0
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            console.out.file, console.err.file = out, err
            try:
                main()
            except SystemExit as left:
                code = left.code or 0
        done.append([code, out.getvalue(), err.getvalue()])
    print(json.dumps(done))
