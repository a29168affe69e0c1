"""A deployment: where the raw stream comes from, where each view goes, which keys and which Flink settings; a YAML file.

Connector options are Flink SQL's own and pass through as they are written, but for references: ``${env:NAME}`` and ``${file:/path}``.
"""

import difflib
import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from flink_masking.addresses.endpoints import collision, unencrypted
from flink_masking.addresses.passwords import holds_password
from flink_masking.addresses.references import resolve
from flink_masking.errors import InputError, JobError, VaultError
from flink_masking.policy.durations import PositiveDuration
from flink_masking.policy.files import read_text
from flink_masking.vault import address as vault_address

Options = dict[str, str | int | float | bool]


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
        keys: address of the key ring (``file://``, ``env://``, …).
        vault: address of the token vault (``sqlite://``, ``postgresql://``); None where no rule makes tokens.
        key_refresh: milliseconds, written as a duration: how often a running job looks whether the key ring has changed.
        vault_patience: the same: how long a job waits for a vault that is away or busy before it fails.
        idle_after: the same: how long a partition of the source, or an instance that reads it, may be silent before it no longer holds
            up windows.
        transport: whether TLS is required; without, a table or vault that lacks it is a warning.
        jars: what the job takes along: coordinates with checksum, ``group:name:version@sha256:…``, and ``file://`` addresses. None: the
            connectors' own, as far as they are known; an empty list: Flink has them already.
        flink: Flink settings, on top of the library's defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Options = Field(repr=False)
    sinks: dict[str, Options] = Field(repr=False)
    keys: str
    vault: str | None = None
    key_refresh: PositiveDuration = 30_000
    vault_patience: PositiveDuration = 30_000
    idle_after: PositiveDuration = 60_000
    transport: TransportRules = TransportRules()
    jars: tuple[str, ...] | None = None
    flink: Options = Field(default_factory=dict, repr=False)
    _secrets: frozenset[str] = PrivateAttr(frozenset())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a deployment file and resolve its references.

        Raises:
            InputError: the file is missing, no YAML, or not of this form, a reference leads nowhere, the address of vault or keys holds a
                password, or TLS is required and missing.
        """
        try:
            body: Any = yaml.safe_load(read_text(path))
        except InputError as error:
            raise InputError(f"{path}: the deployment cannot be read ({error}). Hint: pass a YAML file with --deployment") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            raise InputError(f"{path}{where}: not valid YAML. Hint: check indentation, colons and quotes there") from None
        try:
            written = cls.model_validate(body)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors(include_input=False))
            raise InputError(f"{path}: {faults}. Hint: a deployment has source, sinks, keys and, optionally, vault, "
                             "key_refresh, vault_patience, idle_after, transport, jars and flink") from None
        written._check_addresses(path)
        result = written._resolved(path)
        if result.transport.require_tls and (missing := result.warnings):
            raise InputError(f"{path}: transport.require_tls: {missing[0]}")
        return result

    def _check_addresses(self, path: Path) -> None:
        """Refuse addresses that cannot become part of a job graph or script."""
        if holds_password(self.keys):
            raise InputError(f"{path}: keys: the key ring's address holds a password. Hint: give credentials in the environment of the job "
                             "and its workers")
        if holds_password(str(self.flink.get(JOB_PARAMETERS, ""))):
            raise InputError(f"{path}: flink.{JOB_PARAMETERS}: an address in it holds a password, and job parameters are part of the job "
                             "graph. Hint: as for vault: PGPASSFILE, a service file, or ${file:/path} for the password")
        try:
            if self.vault is not None:
                vault_address.check_address(self.vault)
        except VaultError as error:
            failure = InputError(f"{path}: vault: {error}")
        else:
            return
        raise failure

    @property
    def warnings(self) -> list[str]:
        """What crosses a network in clear, a line each with a hint."""
        tables = {"source": self.source, **{f"sinks.{name}": options for name, options in self.sinks.items()}}
        found = [f"{place}: Kafka at {', '.join(servers)} without TLS: records and logins can be read on the way. Hint: "
                 "properties.security.protocol: SSL, or SASL_SSL" for place, options in tables.items() if (servers := unencrypted(options))]
        if self.vault is not None and vault_address.unencrypted(self.vault):
            found.append(f"vault: {vault_address.UNENCRYPTED}")
        return found

    def _resolved(self, path: Path) -> Self:
        secrets: set[str] = set()

        def options(place: str, written: Options) -> Options:
            try:
                return resolve(written, path.parent, os.environ, secrets.add)
            except InputError as error:
                raise InputError(f"{path}: {place}.{error}") from None

        sinks = {name: options(f"sinks.{name}", written) for name, written in self.sinks.items()}
        result = self.model_copy(update={"source": options("source", self.source), "sinks": sinks, "flink": options("flink", self.flink)})
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


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_clause(options: Options) -> str:
    """Options of a table as the inside of a SQL WITH clause."""
    formatted = options.get("connector") in FORMATTED and "value.format" not in options
    whole: Options = {"format": "raw", **options} if formatted else options
    return ", ".join(f"{literal(name)} = {literal(_text(value))}" for name, value in whole.items())
