"""Several jobs in one Java virtual machine, which saves its start: python several_runs.py POLICY KEYS PLACE; prints a JSON object.

Every subdirectory of PLACE/inputs is run into PLACE/outputs; then one job whose workers cannot open the keys, the command `run` on
PLACE/cells.csv.gz, PLACE/records.avro, PLACE/marked.jsonl and PLACE/swept.jsonl, and the plans of two jobs.
"""

import json
import sys
from pathlib import Path
from typing import Any

from flink_masking.cli.run import run
from flink_masking.engine.plan import Plan
from flink_masking.errors import JobError
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.local import local_deployment, run_local
from flink_masking.flink_rest.progress import Progress
from flink_masking.lineage.emitter import emitter
from flink_masking.policy.source import PolicySource


def outcome(source: JobSource, plan: Plan, raw: Path, output: Path, parallelism: int) -> dict[str, Any]:
    """Run a job; its summary or its error, and the progress that was reported."""
    output.mkdir(parents=True)
    seen: list[Progress] = []
    try:
        with emitter(source.loaded(), None, print, streaming=False).run():
            answer: dict[str, Any] = {"summary": json.loads(run_local(source, plan, raw, output, parallelism, seen.append).encode())}
    except JobError as error:
        answer = {"error": str(error)}
    return {**answer, "progress": [[p.read, p.written] for p in seen]}


def operators(policy: Path, keys: str, place: Path) -> tuple[list[str], list[str | None]]:
    """Names of the operators of a policy's job, from the whole plan: DataStream and Table API; and which internal rows
    its DataStreams are of, None for one of external rows."""
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.table import StreamTableEnvironment

    from flink_masking.flink.pipeline import build
    from flink_masking.flink.settings import configuration

    source = JobSource(PolicySource.read(policy), keys)
    plan = source.plan()
    environment = StreamExecutionEnvironment.get_execution_environment(configuration())
    deployment = local_deployment(plan, keys, place / "inputs", place / "explained")
    build(StreamTableEnvironment.create(environment), source, plan, deployment, bounded=True).attach_as_datastream()
    names = [node["type"] for node in json.loads(environment.get_execution_plan())["nodes"]]
    nodes = environment._j_stream_execution_environment.getStreamGraph().getStreamNodes().toArray()
    blanks = [node.getTypeSerializerOut().createInstance() for node in nodes if node.getOperatorName() == "TableToDataStream"]
    return names, [None if blank is None else blank.getClass().getSimpleName() for blank in blanks]


def main() -> None:
    """Run them all."""
    policy, keys, place = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    text = PolicySource.read(policy)
    plan = JobSource(text, keys).plan()
    answers: dict[str, Any] = {}
    for raw in sorted((place / "inputs").iterdir()):
        answers[raw.name] = outcome(JobSource(text, keys), plan, raw, place / "outputs" / raw.name, 2 if raw.name == "parallel" else 1)
    lost = JobSource(text, "env://FLINK_MASKING_NO_SUCH_KEYS")
    answers["lost keys"] = outcome(lost, plan, place / "inputs" / "few", place / "outputs" / "lost keys", 1)
    run(place / "cells.yaml", place / "cells.csv.gz", place / "outputs" / "cells", keys, None, 1, False, "text")
    run(place / "records.yaml", place / "records.avro", place / "outputs" / "records", keys, None, 1, False, "text")
    run(place / "marked.yaml", place / "marked.jsonl", place / "outputs" / "marked", keys, None, 1, False, "text")
    run(place / "swept.yaml", place / "swept.jsonl", place / "outputs" / "swept", keys, None, 1, False, "text")
    answers["plans"] = {path.stem: operators(path, keys, place) for path in (policy, policy.with_name("masked.yaml"))}
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
