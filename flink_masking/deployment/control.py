"""The section ``control`` of a deployment."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from flink_masking.control.options import MAX_STALENESS, REFRESH, TIMEOUT, ControlOptions, faults_of
from flink_masking.errors import ControlError, InputError
from flink_masking.policy.durations import PositiveDuration
from flink_masking.policy.files import read_text


class ControlSection(BaseModel):
    """Where control documents lie and whom the job trusts; see docs/control.md.

    Attributes:
        source: ``file:///directory``, ``file:///bundle.jsonl``, ``https://host/bundle.jsonl``, or the options of a compacted Kafka topic:
            ``{connector: kafka, topic: …, properties.bootstrap.servers: …}``.
        trust: the trust file, relative to the deployment; it is read where the job is submitted and becomes part of the job.
        refresh: milliseconds, written as a duration: how often workers look at the source.
        max_staleness: the same: no answer for so long suspends every grant; masking goes on.
        state: ``file:///file`` on storage that all workers share: what was in force, revoked or withdrawn, kept across restarts.
        timeout: the same: how long an answer may take.
        token: reference to a bearer token, ``${file:/path}`` or ``${env:NAME}``, for https.
        ca: path of the authorities' certificates (PEM), for https.
        certificate: path of the client's certificate (PEM), likewise.
        key: path of its private key (PEM), likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: str | dict[str, str | int | bool] = Field(repr=False)
    trust: str
    refresh: PositiveDuration = REFRESH
    max_staleness: PositiveDuration = MAX_STALENESS
    state: str | None = None
    timeout: PositiveDuration = TIMEOUT
    token: str | None = Field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def faults(self) -> list[tuple[str, str]]:
        """What is wrong, as pairs of an option and ``message. Hint: …``."""
        source, topic = self._source
        found = faults_of(source, topic, self.state, self.token, {"ca": self.ca, "certificate": self.certificate, "key": self.key})
        if self.max_staleness < 2 * self.refresh:
            found.append(("max_staleness", "shorter than two looks, so grants would be suspended in between. Hint: several times refresh"))
        return found

    def options(self, folder: Path) -> ControlOptions:
        """For the job.

        Args:
            folder: the deployment's, which `trust` is relative to.

        Raises:
            ControlError: an option is wrong, or the trust file cannot be read, is none, or is not signed by its own root role.
        """
        from flink_masking.control.trust import Trust

        try:
            text = read_text(folder / self.trust)
        except InputError as error:
            raise ControlError(f"{self.trust}: {error}. Hint: flink-masking control trust new makes a trust file") from None
        Trust.anchor(text.encode())
        source, topic = self._source
        return ControlOptions(source, text, topic, self.refresh, self.max_staleness, self.state, self.timeout, self.token, self.ca,
                              self.certificate, self.key)

    @property
    def _source(self) -> tuple[str, dict[str, str]]:
        """The address, or the options of a topic."""
        if isinstance(self.source, str):
            return self.source, {}
        return "", {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in self.source.items()}
