"""Documents of several records in a job: cut into records before Protect sees them."""

from collections.abc import Iterator

from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, TableFunction, UserDefinedTableFunctionWrapper, udtf

from flink_masking.flink import compat
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.errors import without_values
from flink_masking.flink.task_manager import end_with_task_manager
from flink_masking.records.each import elements


def elements_function(path: str, format: str) -> UserDefinedTableFunctionWrapper:
    """A table function from a document (BYTES) to its records (a column of BYTES).

    Args:
        path: of the elements of the array that holds the records, ``Records[*]``.
        format: of both.
    """
    return udtf(Elements(path, format), result_types=[DataTypes.BYTES()])


class Elements(VersionChecked, TableFunction):  # type: ignore[misc]
    """A document to its records, each of which then stands with the document's key, headers, timestamp and partition.

    Stateless and deterministic: a source that reads a document again after a failure gives the same records in the same order, within the
    same checkpoint.
    """

    def __init__(self, path: str, format: str) -> None:
        """Keep what the workers need; for the arguments see `elements_function`."""
        self._path, self._format = path, format

    def open(self, function_context: FunctionContext) -> None:
        """End with the TaskManager: a worker holds clear documents."""
        compat.apply(compat.SQL)
        end_with_task_manager()

    def eval(self, document: bytes | None) -> Iterator[bytes | None]:
        """The records of a document; a document that holds no such array comes whole, and none comes as none, to be refused or deleted."""
        with without_values("each"):
            if document is None:
                yield None
            else:
                yield from elements([bytes(document)], self._path, self._format)
