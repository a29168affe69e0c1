"""A deployment: where the raw stream comes from, where each view goes, which keys and which Flink settings; a YAML file.

Connector options are Flink SQL's own and pass through as they are written, but for references: ``${env:NAME}`` and ``${file:/path}``.
"""

import difflib
import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from flink_masking.addresses.endpoints import KAFKA, collision, unencrypted, unencrypted_jdbc
from flink_masking.addresses.passwords import holds_password
from flink_masking.addresses.references import resolve
from flink_masking.control.options import ControlOptions
from flink_masking.deployment.audit import AuditSection
from flink_masking.deployment.columns import Column, SinkColumns
from flink_masking.deployment.control import ControlSection
from flink_masking.deployment.leaks import LeaksSection
from flink_masking.deployment.registry import UNENCRYPTED, RegistrySection
from flink_masking.deployment.sql_text import literal
from flink_masking.documents.document import Document, Mark, cut
from flink_masking.documents.document import Path as Place
from flink_masking.documents.faults import DeploymentFaults, Fault, split_hint
from flink_masking.documents.structure import Special, faults_of, kind_of
from flink_masking.errors import ControlError, InputError, JobError, VaultError
from flink_masking.policy.durations import PositiveDuration
from flink_masking.policy.files import read_text
from flink_masking.registry.options import RegistryOptions
from flink_masking.vault import address as vault_address

Options = dict[str, str | int | float | bool]
_HINT = ("a deployment has source, sinks, keys and, optionally, columns, vault, registry, control, key_refresh, vault_patience, "
         "registry_patience, idle_after, leaks, audit, transport, jars and flink")


JOB_PARAMETERS = "pipeline.global-job-parameters"
"""Flink's setting with the parameters of SQL functions."""
FORMATTED = frozenset({"filesystem", "firehose", "kafka", "kinesis", "pulsar"})
"""Connectors that ask for a format; one column of bytes is read and written as it is: raw."""


class TransportRules(BaseModel):
    """How records, tokens and sealed values may travel.

    Attributes:
        require_tls: Kafka and PostgreSQL on other machines are spoken to over TLS; a deployment in which one is not is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    require_tls: bool = False


class Deployment(BaseModel):
    """Source, sinks, keys and settings of a job; its repr shows no options, which may hold passwords.

    Attributes:
        source: options of the raw stream's table; one BYTES column, so the format is raw unless given.
        sinks: for each segment, ``audit`` and ``quarantine`` the options of its table; likewise.
        columns: for each segment whose sink is a table of typed columns, instead of one column of records, what these are.
        keys: address of the key ring (``file://``, ``env://``, …).
        vault: address of the token vault (``sqlite://``, ``postgresql://``); None where no rule makes tokens.
        registry: the schema registry that records name their schemas by; None where the format needs none.
        control: where control documents lie (policies, grants, erasures) and whom the job trusts; None: the job takes none.
        key_refresh: milliseconds, written as a duration: how often a running job looks whether the key ring has changed.
        vault_patience: the same: how long a job waits for a vault that is away or busy before it fails.
        registry_patience: the same: how long a job waits for a registry that is away when a record names a schema that it has not seen.
        idle_after: the same: how long a partition of the source, or an instance that reads it, may be silent before it no longer holds
            up windows.
        leaks: of which values Protect keeps fingerprints, by which `flink-masking leaks` finds them elsewhere; None: of none.
        audit: the log that `audit seal` writes; None: the sink's events are not sealed.
        transport: whether TLS is required; without, a table or vault that lacks it is a warning.
        jars: what the job takes along: coordinates with checksum, ``group:name:version@sha256:…``, and ``file://`` addresses. None: the
            connectors' own, as far as they are known; an empty list: Flink has them already.
        flink: Flink settings, on top of the library's defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Options = Field(repr=False)
    sinks: dict[str, Options] = Field(repr=False)
    keys: str
    columns: dict[str, SinkColumns] = Field(default_factory=dict)
    vault: str | None = None
    registry: RegistrySection | None = None
    control: ControlSection | None = None
    key_refresh: PositiveDuration = 30_000
    vault_patience: PositiveDuration = 30_000
    registry_patience: PositiveDuration = 30_000
    idle_after: PositiveDuration = 60_000
    leaks: LeaksSection | None = None
    audit: AuditSection | None = None
    transport: TransportRules = TransportRules()
    jars: tuple[str, ...] | None = None
    flink: Options = Field(default_factory=dict, repr=False)
    _secrets: frozenset[str] = PrivateAttr(frozenset())
    _control: ControlOptions | None = PrivateAttr(None)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a deployment file and resolve its references.

        Raises:
            InputError: the file cannot be read.
            DeploymentFaults: an InputError with line and column: no YAML, or not of this form, a reference leads nowhere, the address of
                vault or keys holds a password, or TLS is required and missing.
        """
        try:
            text = read_text(path)
        except InputError as error:
            raise InputError(f"{path}: the deployment cannot be read ({error}). Hint: pass a YAML file with --deployment") from None
        document = Document(str(path), text, DeploymentFaults)
        try:
            written = cls.model_validate(document.value)
        except ValidationError as error:
            faults = faults_of(error, document, (), DeploymentFaults.what, _known_keys, _not_an_option(document))
            raise DeploymentFaults(str(path), [fault if fault.hint else replace(fault, hint=_HINT) for fault in faults]) from None
        written._check_addresses(document)
        result = written._resolved(document, path.parent)
        result._control = written._controlled(document, path.parent)
        if result.transport.require_tls and (missing := result.in_clear):
            raise _refused(document, ("transport", "require_tls"), f"transport.require_tls: {missing[0]}")
        return result

    def _check_addresses(self, document: Document) -> None:
        """Refuse addresses that cannot become part of a job graph or script."""
        if holds_password(self.keys):
            raise _refused(document, ("keys",), "keys: the key ring's address holds a password. Hint: give credentials in the environment "
                           "of the job and its workers")
        if holds_password(str(self.flink.get(JOB_PARAMETERS, ""))):
            raise _refused(document, ("flink", JOB_PARAMETERS), f"flink.{JOB_PARAMETERS}: an address in it holds a password, and job "
                           "parameters are part of the job graph. Hint: as for vault: PGPASSFILE, a service file, or ${file:/path} for the "
                           "password")
        failure: DeploymentFaults | None = None
        try:
            if self.vault is not None:
                vault_address.check_address(self.vault)
        except VaultError as error:
            failure = _refused(document, ("vault",), f"vault: {error}")
        if failure is None and self.registry is not None and (faults := self.registry.faults()):
            failure = _refused(document, ("registry", faults[0][0]), f"registry.{faults[0][0]}: {faults[0][1]}")
        if failure is not None:
            raise failure

    def _controlled(self, document: Document, folder: Path) -> ControlOptions | None:
        """The options of `control`, with the trust file read."""
        if self.control is None:
            return None
        if faults := self.control.faults():
            raise _refused(document, ("control", faults[0][0]), f"control.{faults[0][0]}: {faults[0][1]}")
        try:
            return self.control.options(folder)
        except ControlError as error:
            failure = _refused(document, ("control", "trust"), f"control.trust: {error}")
        raise failure

    @property
    def control_options(self) -> ControlOptions | None:
        """Where control documents lie and whom the job trusts; None where the job takes none."""
        return self._control

    @property
    def registry_options(self) -> RegistryOptions | None:
        """How the registry is spoken to, and the subjects of the views' schemas; None where none is named."""
        if self.registry is None:
            return None
        topics = {name: topic for name, options in self.sinks.items() if (topic := _topic(options)) is not None}
        values = {name: f"{topic}-value" for name, topic in topics.items()}
        keys = {f"{name}.key": f"{topic}-key" for name, topic in topics.items()}
        return self.registry.options(self.registry_patience, {**values, **keys})

    @property
    def source_subjects(self) -> tuple[str | None, str | None]:
        """The subjects of the raw records and of their keys; None where they cannot be told."""
        topic = _topic(self.source)
        named = None if self.registry is None else self.registry.subject
        return named or (f"{topic}-value" if topic else None), f"{topic}-key" if topic else None

    @property
    def warnings(self) -> list[str]:
        """What is allowed and seldom meant, a line each with a hint."""
        forgets = ["control: without state a restarted worker does not know any more what was revoked, withdrawn or overtaken, unless the "
                   "source still says so, and carries out no grant of before. Hint: control.state: file:///shared/control-state"]
        return self.in_clear + (forgets if self.control is not None and self.control.state is None else [])

    @property
    def in_clear(self) -> list[str]:
        """What crosses a network in clear, a line each with a hint."""
        tables = {"source": self.source, **{f"sinks.{name}": options for name, options in self.sinks.items()}}
        found = [f"{place}: Kafka at {', '.join(servers)} without TLS: records and logins can be read on the network. Hint: "
                 "properties.security.protocol: SSL, or SASL_SSL" for place, options in tables.items() if (servers := unencrypted(options))]
        found += [f"{place}: {server} without TLS: records and logins can be read on the network. Hint: ?sslmode=verify-full in the url"
                  for place, options in tables.items() if (server := unencrypted_jdbc(options))]
        if self.control is not None and isinstance(self.control.source, dict) and (servers := unencrypted(self.control.source)):
            found.append(f"control.source: Kafka at {', '.join(servers)} without TLS: documents could be held back on the network. Hint: "
                         "properties.security.protocol: SSL, or SASL_SSL")
        if self.vault is not None and vault_address.unencrypted(self.vault):
            found.append(f"vault: {vault_address.UNENCRYPTED}")
        if (registry := self.registry_options) is not None and registry.unencrypted:
            found.append(f"registry: {registry.shown} without TLS: {UNENCRYPTED}")
        return found

    def _resolved(self, document: Document, folder: Path) -> Self:
        secrets: set[str] = set()

        def options(place: tuple[str, ...], written: Options) -> Options:
            try:
                return resolve(written, folder, os.environ, secrets.add)
            except InputError as error:
                option = max((name for name in written if str(error).startswith(f"{name}:")), key=len, default="")
                failure = _refused(document, (*place, option), f"{'.'.join(place)}.{error}")
            raise failure

        sinks = {name: options(("sinks", name), written) for name, written in self.sinks.items()}
        source, flink = options(("source",), self.source), options(("flink",), self.flink)
        leaks = self.leaks
        if leaks is not None and leaks.findings is not None:
            leaks = leaks.model_copy(update={"findings": options(("leaks", "findings"), leaks.findings)})
        result = self.model_copy(update={"source": source, "sinks": sinks, "flink": flink, "leaks": leaks})
        result._secrets = frozenset(secrets)
        return result

    @property
    def connectors(self) -> frozenset[str]:
        """Names of the connectors of all tables."""
        return frozenset(str(options["connector"]) for options in (self.source, *self.sinks.values()) if "connector" in options)

    @property
    def has_secrets(self) -> bool:
        """Whether an option was given by reference."""
        return bool(self._secrets)

    def concealed(self, text: str) -> str:
        """Replace every value that was given by reference in a text."""
        lines = {line for secret in self._secrets for line in (secret, *secret.splitlines()) if line.strip()}
        for line in sorted(lines, key=len, reverse=True):
            text = text.replace(line, "***")
        return text

    def require(self, names: Iterable[str]) -> None:
        """Check that there is a sink for each of `names` and for nothing else, and that no two tables are one topic or directory.

        Raises:
            JobError: naming the sinks that are missing or too many, or those that are one.
        """
        wanted = set(names)
        missing = sorted(wanted - set(self.sinks))
        if extra := sorted(set(self.sinks) - wanted):  # first: a name that was misspelt is missing, too
            close = difflib.get_close_matches(extra[0], missing, 1)
            hint = f"did you mean {close[0]}?" if close else "sinks are named after the policy's segments, audit and quarantine"
            raise JobError(f"the deployment has a sink {extra[0]} that the policy does not define. Hint: {hint}")
        if missing:
            raise JobError(f"the deployment has no sink for {', '.join(missing)}. Hint: add sinks.{missing[0]}: {{connector: …}}")
        for name, options in self.sinks.items():
            if shared := collision(self.source, options):
                raise JobError(f"source and sinks.{name} are both the {shared}, so the job would read what it writes. Hint: give the sink "
                               "one of its own")
        for (one, options), (other, others) in itertools.combinations(self.sinks.items(), 2):
            if shared := collision(options, others):
                raise JobError(f"sinks.{one} and sinks.{other} are both the {shared}, so who may read one reads the other. Hint: give each "
                               "a place of its own")

    def settings(self) -> dict[str, str]:
        """The Flink settings as text."""
        return {name: _text(value) for name, value in self.flink.items()}


def _topic(options: Options) -> str | None:
    """The only topic that a table of Kafka has."""
    topic = options.get("topic")
    return str(topic) if options.get("connector") in KAFKA and topic is not None and ";" not in str(topic) else None


def _refused(document: Document, loc: Place, text: str) -> DeploymentFaults:
    """What an error of the form ``what is wrong. Hint: what to do`` says, with its place."""
    return DeploymentFaults(document.name, [Fault(*document.mark(loc), *split_hint(text))])


def _known_keys(path: Sequence[str | int]) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    model: dict[tuple[str | int, ...], type[BaseModel]] = {(): Deployment, ("transport",): TransportRules,
                                                          ("registry",): RegistrySection, ("control",): ControlSection,
                                                          ("leaks",): LeaksSection, ("audit",): AuditSection}
    found = model.get(tuple(path), Column if len(path) == 3 and path[0] == "columns" else None)
    return [known.alias or name for name, known in found.model_fields.items()] if found else []


def _not_an_option(document: Document) -> Special:
    """The message for a value of a wrong type; pydantic would give one message for each type that is allowed."""
    def told(details: ErrorDetails, loc: tuple[str | int, ...]) -> tuple[Mark, str, str] | None:
        if loc[-1:] not in {("str",), ("int",), ("float",), ("bool",)}:
            return None
        found = kind_of(details["input"])
        hint = "one value an option, as in Flink SQL" if found != "nothing" else "write a value, or omit the option"
        return document.mark(loc), f"'{cut(str(loc[-2]))}' must be text, a number, or true or false, not {found}", hint
    return told


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_clause(options: Options) -> str:
    """Options of a table as the inside of a SQL WITH clause."""
    formatted = options.get("connector") in FORMATTED and "value.format" not in options
    whole: Options = {"format": "raw", **options} if formatted else options
    return ", ".join(f"{literal(name)} = {literal(_text(value))}" for name, value in whole.items())
