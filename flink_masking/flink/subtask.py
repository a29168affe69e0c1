"""Which of the parallel workers of a function this one is."""

from pyflink.table.udf import FunctionContext

MANY = 1 << 31
"""Workers where Flink does not tell how many there are: nobody's share of a grant is a record then."""


def place(context: FunctionContext) -> tuple[int, int]:
    """How many workers there are, and which of them this is, from 0 on."""
    workers, worker = context.get_number_of_parallel_subtasks(), context.get_index_of_this_subtask()
    return (workers, worker) if workers and worker is not None else (MANY, MANY)
