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
"""Of the main job's source."""

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
"""Patterns of Flink's messages and their meaning; the first match counts."""


def launch(environment: StreamExecutionEnvironment, statements: StatementSet, sinks: list[str], name: str,
           source_uid: str | None = None) -> JobClient:
    """Give sources, sinks and all between them their uids and start the job.

    Args:
        environment: that the statements belong to.
        statements: all inserts of the job, each into a table of its own.
        sinks: names of the sinks in the order in which they are first inserted into.
        name: of the job, as Flink shows it.
        source_uid: of the only source; None: each source is called by its table.

    Raises:
        JobError: the job has another number of sinks, or does not fit the savepoint that it is to go on from.
    """
    statements.attach_as_datastream()
    assign_uids(list(java_environment(environment).getTransformations()), sinks, source_uid)
    try:
        return environment.execute_async(name)
    except Exception as error:
        if (words := refusal(str(error))) is not None:
            raise JobError(words) from None
        raise


def refusal(text: str) -> str | None:
    """Translate Flink's refusal of a savepoint to one line; None for other messages."""
    return next((words for pattern, words in _REFUSALS if pattern.search(text)), None)


def assign_uids(transformations: list[Any], sinks: list[str], source_uid: str | None = None) -> None:
    """Assign uids to sources, to operators of one sink, and to operators between them.

    A sink's uids depend on its own path through the job; those of what several sinks share, on the order of such steps of one kind.

    Args:
        transformations: Java objects of which the job consists, or from which all of it can be reached, in their order.
        sinks: names of the sinks, in the order of theirs.
        source_uid: of the only source; None: each source is called by its table.

    Raises:
        JobError: there is another number of sinks.
    """
    ends = [node for node in transformations if "Sink" in node.getClass().getSimpleName()]
    if len(ends) != len(sinks):
        raise JobError(f"the job has {len(ends)} sinks where {len(sinks)} were expected. Hint: name each table that the "
                       "statements insert into, in their order, and insert into each once")
    taken: dict[str, int] = {}

    def named(prefix: str, role: str) -> str:
        name = f"{prefix}: {role}"
        taken[name] = taken.get(name, 0) + 1
        return f"{name} {taken[name]}" if taken[name] > 1 else name

    above = [{node.getId(): node for node in end.getTransitivePredecessors()} for end in ends]
    for number, (sink, nodes) in enumerate(zip(sinks, above, strict=True)):
        shared = set().union(*(other for i, other in enumerate(above) if i != number))
        for identity in sorted(nodes):
            node = nodes[identity]
            kind = str(node.getClass().getSimpleName())
            if node.getUid() is not None or kind in ("PartitionTransformation", "UnionTransformation"):
                continue
            role = "sink" if "Sink" in kind else str(node.getName()).partition("[")[0]
            if kind.endswith("SourceTransformation"):
                node.setUid(source_uid or named("source", role))
            else:
                node.setUid(named(sink if identity not in shared else "shared", role))
