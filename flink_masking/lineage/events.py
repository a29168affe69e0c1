"""Run events of a job in OpenLineage's form, as plain values: names of fields and techniques, never a value, key or login."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

from flink_masking.data_contract.views import ViewField, view_fields
from flink_masking.deployment.model import Deployment
from flink_masking.lineage.datasets import Dataset, dataset
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment
from flink_masking.techniques.promises import Shows

NAMESPACE = "flink-masking"
"""Of jobs, unless OPENLINEAGE_NAMESPACE names another one."""
VERSION = version("flink-masking")
PRODUCER = f"urn:flink-masking:{VERSION}"
SPEC = "https://openlineage.io/spec"
"""Identifies the facets' schemas; nothing is fetched."""
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
EventType = Literal["START", "RUNNING", "COMPLETE", "FAIL"]


class JobLineage:
    """What all events of a job's run have in common.

    Attributes:
        run: UUID of the run.
    """

    def __init__(self, loaded: LoadedPolicy, deployment: Deployment | None, run: str, namespace: str = NAMESPACE,
                 streaming: bool = True) -> None:
        """Describe the job.

        Args:
            loaded: its policy.
            deployment: where the stream comes from and the views go; None: datasets are named after stream and segments.
            run: UUID of the run.
            namespace: of the job.
            streaming: the input does not end.
        """
        self.run = run
        self._loaded, self._deployment, self._streaming = loaded, deployment, streaming
        self._job = {"namespace": namespace, "name": loaded.policy.stream}
        self._source = dataset(loaded.policy.stream, deployment.source if deployment is not None else None)

    def event(self, kind: EventType, now: datetime | None = None, error: str | None = None, flink_job: str | None = None) -> dict[str, Any]:
        """An event.

        Args:
            kind: of it.
            now: when; the present unless given.
            error: of FAIL: why, in words of this library.
            flink_job: Flink's id of the job, once there is one.
        """
        run: dict[str, Any] = {"processing_engine": _facet("1-1-1/ProcessingEngineRunFacet", name="flink", version="2.3.0",
                                                           openlineageAdapterVersion=VERSION)}
        if error is not None:
            run["errorMessage"] = _facet("1-0-1/ErrorMessageRunFacet", message=error, programmingLanguage="PYTHON")
        if flink_job is not None:
            run["externalQuery"] = _facet("1-0-2/ExternalQueryRunFacet", externalQueryId=flink_job, source="flink")
        job = {"jobType": _facet("2-0-4/JobTypeJobFacet", processingType="STREAMING" if self._streaming else "BATCH", integration="FLINK",
                                 jobType="JOB"),
               "documentation": _facet("1-1-0/DocumentationJobFacet", description=f"Protects the stream {self._loaded.policy.stream} by "
                                       f"version {self._loaded.policy.version} of its policy, {self._loaded.source.digest[:16]}.")}
        return {"eventType": kind, "eventTime": (now or datetime.now(UTC)).isoformat(timespec="milliseconds"), "producer": PRODUCER,
                "schemaURL": EVENT, "run": {"runId": self.run, "facets": run}, "job": {**self._job, "facets": job},
                "inputs": [self._input()], "outputs": [*self._outputs()]}

    def _input(self) -> dict[str, Any]:
        fields = [{"name": path, **({"type": declared.type} if declared.type else {})}
                  for path, declared in self._loaded.policy.fields.items()]
        facets = {"schema": _facet("1-2-0/SchemaDatasetFacet", fields=fields)}
        tags = [{"key": "class", "value": declared.role, "source": "POLICY", "field": path}
                for path, declared in self._loaded.policy.fields.items()]
        lock = self._loaded.tagged.lock
        for one in self._loaded.tagged.fields:
            tags += [{"key": tag, "value": "true", "source": lock.source.upper() if lock is not None else "POLICY", "field": one.path}
                     for tag in one.tags]
        facets["tags"] = _facet("1-0-0/TagsDatasetFacet", tags=tags)
        return {"namespace": self._source.namespace, "name": self._source.name, "facets": facets}

    def _outputs(self) -> Iterator[dict[str, Any]]:
        for name, segment in self._loaded.policy.segments.items():
            fields = view_fields(self._loaded, name)
            lineage: dict[str, Any] = {"fields": {one.path: {"inputFields": self._inputs(one)} for one in fields}}
            if indirect := [*self._indirect(segment)]:
                lineage["dataset"] = indirect
            facets = {"schema": _facet("1-2-0/SchemaDatasetFacet", fields=[{"name": one.path} for one in fields]),
                      "columnLineage": _facet("1-2-0/ColumnLineageDatasetFacet", **lineage)}
            yield {**self._placed(name), "facets": facets}
        for name in ("audit", "quarantine"):
            yield {**self._placed(name), "facets": {}}

    def _placed(self, name: str) -> dict[str, str]:
        sinks = self._deployment.sinks if self._deployment is not None else {}
        found = dataset(name, sinks.get(name)) if name in sinks else Dataset(self._source.namespace, f"{self._loaded.policy.stream}/{name}")
        return found._asdict()

    def _inputs(self, field: ViewField) -> list[dict[str, Any]]:
        metric = field.path not in self._loaded.policy.fields
        subtype = "AGGREGATION" if metric else "IDENTITY" if field.shows is Shows.EXACT else "TRANSFORMATION"
        made = {"type": "DIRECT", "subtype": subtype, "description": field.logic, "masking": field.masking}
        return [{**self._source._asdict(), "field": path, "transformations": [made]} for path in field.inputs]

    def _indirect(self, segment: Any) -> Iterator[dict[str, Any]]:
        """Fields that decide which records or rows a view has, without being shown."""
        policy = self._loaded.policy
        used: list[tuple[str, str, bool]] = []
        if isinstance(segment, AnonymizedSegment):
            used += [(path, "GROUP_BY", True) for path in segment.quasi_identifiers]
            used += [(path, "FILTER", True) for path in segment.sensitive]
        if isinstance(segment, AggregatedSegment):
            used += [(key.field, "GROUP_BY", True) for key in segment.group_by]
            used += [(policy.event_time.field, "WINDOW", True)] if policy.event_time is not None else []
        if policy.subject is not None and used:
            used.append((policy.subject, "FILTER", True))
        for path, subtype, masking in used:
            how = {"type": "INDIRECT", "subtype": subtype, "masking": masking}
            yield {**self._source._asdict(), "field": path, "transformations": [how]}


def _facet(schema: str, **values: Any) -> dict[str, Any]:
    name = schema.partition("/")[2]
    return {"_producer": PRODUCER, "_schemaURL": f"{SPEC}/facets/{schema}.json#/$defs/{name}", **values}
