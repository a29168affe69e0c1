"""Checks before submission whether the state in a savepoint fits the policy."""

import logging

from pyflink.datastream import StreamExecutionEnvironment

from flink_masking.deployment.queries import UNNAMED, Names
from flink_masking.errors import JobError
from flink_masking.flink.compat.java_objects import settings_of
from flink_masking.flink.gateway import Py4JError, virtual_machine
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.state_shape import decode, differences, state_shapes

RECOVERY_PATH = "execution.state-recovery.path"
_log = logging.getLogger(__name__)


def check_savepoint(environment: StreamExecutionEnvironment, loaded: LoadedPolicy, names: Names = UNNAMED) -> None:
    """Raise if the state in a savepoint does not fit the policy.

    Savepoints of releases that did not keep the shape of their state pass, and so does one that only the JobManager can read: its
    operators refuse such a state when they meet it.

    Args:
        environment: as ``flink run -s`` has configured it.
        loaded: the policy of the job.
        names: what its pass through Protect is called in uids.

    Raises:
        JobError: naming the segment and what has changed.
    """
    path = settings_of(environment).get_string(RECOVERY_PATH, "")
    if not path:
        return
    found = differences(decode(_uids(path)), {names.uid(segment): shape for segment, shape in state_shapes(loaded).items()})
    if found:
        more = f" (and {len(found) - 1} more changes)" if len(found) > 1 else ""
        raise JobError(f"{found[0]}{more}: the state in the savepoint does not fit. Hint: resume with the policy as it was; or end the "
                       "old job with flink stop --drain and start this one without -s, or give the segment another name")


def _uids(path: str) -> list[str]:
    """The uids of all operators of a savepoint; none where it cannot be read here."""
    jvm = virtual_machine()
    try:
        location = jvm.org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess.resolveCheckpointPointer(path)
        stream = location.getMetadataHandle().openInputStream()
        try:
            loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
            data = jvm.java.io.DataInputStream(stream)
            metadata = jvm.org.apache.flink.runtime.checkpoint.Checkpoints.loadCheckpointMetadata(data, loader, path)
        finally:
            stream.close()
        return [str(state.getOperatorUid().get()) for state in metadata.getOperatorStates() if state.getOperatorUid().isPresent()]
    except Py4JError:
        _log.warning("the savepoint cannot be read from here; whether its state fits the policy shows when the job runs")
        return []
