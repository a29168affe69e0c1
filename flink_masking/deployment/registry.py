"""The section ``registry`` of a deployment."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from flink_masking.policy.durations import PositiveDuration
from flink_masking.registry.cache import ENTRIES
from flink_masking.registry.options import RegistryOptions, faults_of

UNENCRYPTED = "schemas and logins can be read on the network. Hint: https://"


class RegistrySection(BaseModel):
    """The schema registry of a stream; see `flink_masking.registry.options.RegistryOptions`.

    Attributes:
        url: address; of Apicurio Registry with ``api: confluent`` that of its Confluent API, which ends in ``/apis/ccompat/v7``.
        api: confluent or apicurio.
        user: for basic authentication.
        password: reference to the password, ``${file:/path}`` or ``${env:NAME}``, resolved by the job and its workers.
        token: reference to a bearer token, likewise.
        ca: path of the authorities' certificates (PEM).
        certificate: path of the client's certificate (PEM).
        key: path of the client's private key (PEM).
        timeout: milliseconds, written as a duration, that an answer may take.
        entries: schemas that a worker keeps at most.
        subject: of the raw records, whose versions are looked at before the job starts; by default the source's topic and ``-value``.
        subjects: by view the subject of its schemas, where they differ from those of the records; by default the topic of its sink and
            ``-value``. Under a view's name and ``.key`` that of its keys; by default ``-key``.
        register: the job registers schemas of views; false: they must be registered before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    api: Literal["confluent", "apicurio"] = "confluent"
    user: str | None = None
    password: str | None = Field(default=None, repr=False)
    token: str | None = Field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    timeout: PositiveDuration = 10_000
    entries: Annotated[int, Field(ge=1, le=100_000)] = ENTRIES
    subject: str | None = None
    subjects: dict[str, str] = Field(default_factory=dict)
    register_: bool = Field(default=True, alias="register")

    def faults(self) -> list[tuple[str, str]]:
        """What is wrong, as `RegistryOptions.faults`."""
        return faults_of(self.model_dump())

    def options(self, patience: int, subjects: Mapping[str, str]) -> RegistryOptions:
        """For the client.

        Args:
            patience: milliseconds for which a registry that is away is waited for.
            subjects: of the views that `subjects` does not name.

        Raises:
            RegistryError: an option is wrong.
        """
        return RegistryOptions(self.url, self.api, self.user, self.password, self.token, self.ca, self.certificate, self.key,
                               self.timeout / 1000, patience / 1000, self.entries, {**subjects, **self.subjects}, self.register_)
