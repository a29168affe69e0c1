"""The sealer in Flink: reads the audit sink of a deployment and seals what comes into its log.

Lines wait in Flink's state until they are sealed, and leave it afterwards. What a restart brings again is in the log already and left out,
so every event is in the log once. One instance works, whatever the parallelism of the job: a log has one writer.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor
from pyflink.table import StatementSet, StreamTableEnvironment

from flink_masking.audit.sealer import Sealer
from flink_masking.audit.stores import Directory, open_store
from flink_masking.control.identity import passphrase_in
from flink_masking.control.note_key import note_signer
from flink_masking.deployment.audit import AuditSection
from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.errors import JobError, LogUnavailableError
from flink_masking.flink import compat
from flink_masking.flink.clock import END_OF_INPUT
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.leak_watch import as_source

STATE = ".sealer"
_log = logging.getLogger(__name__)


class SealFunction(VersionChecked, KeyedProcessFunction):  # type: ignore[misc]
    """Keeps lines and seals them all at most once in an interval, and at the end of the input."""

    def __init__(self, section: AuditSection) -> None:
        """Keep what the worker needs: addresses, no key."""
        self._section = section

    def open(self, runtime_context: RuntimeContext) -> None:
        """Attach the state; the sealer is made with the first line, by the one instance that gets any."""
        compat.apply(compat.KEYED)
        self._lines = runtime_context.get_list_state(ListStateDescriptor("lines", Types.PRIMITIVE_ARRAY(Types.BYTE())))
        self._sealer: Sealer | None = None

    def close(self) -> None:
        """Release the log."""
        if getattr(self, "_sealer", None) is not None:
            self._sealer.__exit__()  # type: ignore[union-attr]

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Take in a message of the audit."""
        for line in bytes(value[0]).split(b"\n"):
            if line:
                self._lines.add(line)
        ctx.timer_service().register_event_time_timer(END_OF_INPUT)
        self._wait(ctx)
        yield from ()

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Seal what has come; where the log cannot be written now, later."""
        lines = [bytes(line) for line in self._lines.get() or ()]
        if not lines:
            return
        ended = ctx.timer_service().current_watermark() == END_OF_INPUT
        try:
            note = self._opened().seal(lines, {})
        except OSError as error:
            if ended:
                raise
            why = error if isinstance(error, LogUnavailableError) else error.strerror or type(error).__name__
            _log.warning("the log cannot be written now (%s); it is tried again", why)
            self._wait(ctx)
            return
        self._lines.clear()
        if note is not None:
            yield Row(note)

    def _wait(self, ctx: Any) -> None:
        """Seal at the end of this interval; timers of one time are one timer."""
        every = self._section.seal_every
        ctx.timer_service().register_processing_time_timer((time.time_ns() // 1_000_000 // every + 1) * every)

    def _opened(self) -> Sealer:
        if self._sealer is None:
            store, section = open_store(self._section.log), self._section
            state = Path(section.state) if section.state is not None else store.path / STATE if isinstance(store, Directory) else None
            if state is None:
                raise JobError("audit.state: a log that is no directory needs one for the sealer's state. Hint: audit: {state: /path}")
            self._sealer = Sealer(store, note_signer(Path(section.key), section.name, self._passphrase), state).__enter__()
        return self._sealer

    def _passphrase(self) -> str:
        if self._section.passphrase_file is None:
            raise JobError("audit.key: an identity, whose passphrase a job cannot ask for. Hint: audit: {passphrase_file: /path}")
        return passphrase_in(Path(self._section.passphrase_file))


def seal(environment: StreamTableEnvironment, deployment: Deployment, name: str, bounded: bool) -> StatementSet:
    """Read the audit sink and seal it; checkpoints of the log are what leaves, into nothing.

    Args:
        environment: of a StreamExecutionEnvironment.
        deployment: with a section ``audit``; its sink ``audit`` is read.
        name: of the stream, for the consumer group.
        bounded: read what is there now, seal it, and end.

    Raises:
        JobError: the deployment has no such section, or its audit cannot be read.
    """
    section, options = deployment.audit, deployment.sinks.get("audit")
    if section is None:
        raise JobError("the deployment does not say where its audit is sealed. Hint: audit: {log: …, key: …}")
    readable = None if options is None else as_source(options, f"flink-masking-audit-{name}", bounded)
    if readable is None:
        raise JobError("sinks.audit cannot be read again. Hint: the sealer reads it in Kafka and in files")
    environment.execute_sql(f"CREATE TEMPORARY TABLE audit_events (line BYTES) WITH ({with_clause(readable)})")
    environment.execute_sql("CREATE TEMPORARY TABLE checkpoints (note BYTES) WITH ('connector' = 'blackhole')")
    lines = environment.to_data_stream(environment.sql_query("SELECT line FROM audit_events WHERE line IS NOT NULL"))
    kind = Types.ROW_NAMED(["note"], [Types.PRIMITIVE_ARRAY(Types.BYTE())])
    sealed = lines.key_by(lambda _: 0, key_type=Types.INT()).process(SealFunction(section), output_type=kind)
    sealed.name("seal").uid("audit-seal").set_parallelism(1)
    environment.create_temporary_view("sealed", environment.from_data_stream(sealed))
    statements = environment.create_statement_set()
    statements.add_insert_sql("INSERT INTO checkpoints SELECT note FROM sealed")
    return statements
