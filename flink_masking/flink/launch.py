"""Starts a job with stable operator uids, so that a savepoint fits after other parts of the policy change.

Flink finds the state of an operator in a savepoint by the operator's uid. The Table API gives none, so Flink would make one up from the
shape of the whole job, and one more segment would lose the positions of the source and what the sinks have not committed.
"""

import re
from typing import Any

from pyflink.common import JobClient
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet

from flink_masking.errors import JobError
from flink_masking.flink.compat.java_objects import java_environment

SOURCE_UID = "flink-masking-source"

_REFUSALS = (
    (re.compile("Cannot map checkpoint/savepoint state for operator"),
     "the savepoint holds state of a segment or sink that this job no longer has. Hint: resume it with a policy and a deployment that have "
     "all of its segments, or pass --allowNonRestoredState to flink run: the state of the missing one is lost"),
    (re.compile(r"[Mm]ax(imum)? parallelism|maxParallelism"),
     "the savepoint was taken with another maximum parallelism. Hint: set pipeline.max-parallelism to what it was then"),
    (re.compile(r"Cannot find (?:meta data file|checkpoint or savepoint)[^\n]*|Could not load checkpoint/savepoint metadata|"
                r"Failed to (?:rollback to|load) checkpoint/savepoint"),
     "the savepoint cannot be read. Hint: pass the directory that holds its _metadata file, by an address that the JobManager can read"),
)
"""What Flink says, in words or a trace of a hundred lines, and what it means; the first that is found counts."""


def launch(environment: StreamExecutionEnvironment, statements: StatementSet, sinks: list[str], name: str) -> JobClient:
    """Give source and sinks their uids and start the job.

    Args:
        environment: that the statements belong to.
        statements: all inserts of the job.
        sinks: names of the sinks in the order in which they are first inserted into.
        name: of the job, as Flink shows it.

    Raises:
        JobError: the job has another number of sinks, or does not fit the savepoint that it is to go on from.
    """
    statements.attach_as_datastream()
    assign_uids(list(java_environment(environment).getTransformations()), sinks)
    try:
        return environment.execute_async(name)
    except Exception as error:
        if (words := refusal(str(error))) is not None:
            raise JobError(words) from None
        raise


def refusal(text: str) -> str | None:
    """Why a savepoint was refused, on one line, from what Flink said; None where it said something else."""
    return next((words for pattern, words in _REFUSALS if pattern.search(text)), None)


def assign_uids(transformations: list[Any], sinks: list[str]) -> None:
    """Assign uids to the source and to operators of one sink; operators between have no state or a uid already.

    Args:
        transformations: Java objects of which the job consists, or from which all of it can be reached, in their order.
        sinks: names of the sinks, in the order of theirs.

    Raises:
        JobError: there is another number of sinks.
    """
    ends = [node for node in transformations if "Sink" in node.getClass().getSimpleName()]
    if len(ends) != len(sinks):
        raise JobError(f"the job has {len(ends)} sinks where {len(sinks)} were expected. Hint: this is an internal error; please report it")
    above = [{node.getId(): node for node in end.getTransitivePredecessors()} for end in ends]
    for number, (sink, nodes) in enumerate(zip(sinks, above, strict=True)):
        shared = set().union(*(other for i, other in enumerate(above) if i != number))
        taken: dict[str, int] = {}
        for identity in sorted(nodes):
            node = nodes[identity]
            kind = str(node.getClass().getSimpleName())
            if node.getUid() is not None or kind in ("PartitionTransformation", "UnionTransformation"):
                continue
            if kind.endswith("SourceTransformation"):
                node.setUid(SOURCE_UID)
            elif identity not in shared:
                role = "sink" if "Sink" in kind else str(node.getName()).partition("[")[0]
                taken[role] = taken.get(role, 0) + 1
                node.setUid(f"{sink}: {role}" + (f" {taken[role]}" if taken[role] > 1 else ""))
