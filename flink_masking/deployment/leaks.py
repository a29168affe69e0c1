"""``leaks`` of a deployment: of which values Protect keeps fingerprints, by which the leak monitor finds them elsewhere."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flink_masking.leaks.options import DAY, LeakOptions
from flink_masking.policy.durations import PositiveDuration

Options = dict[str, str | int | float | bool]


class LeaksSection(BaseModel):
    """Canaries: keyed fingerprints of the values of a sample of records.

    Attributes:
        directory: where every worker writes files of its own, of some hundred kilobytes for each field: a shared directory, or one of
            each machine. Who may read it and has the key ring can ask whether a value was among the sample.
        sample: share of the records whose direct identifiers are kept.
        keep: milliseconds, written as a duration: how long a fingerprint is kept.
        findings: options of the table that the leak monitor (``jobs/leak_monitor.py``) writes what it finds to; one BYTES column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    directory: Annotated[str, Field(min_length=1, pattern="^/")]
    sample: Annotated[float, Field(gt=0, le=1, strict=False)] = 0.01
    keep: PositiveDuration = DAY
    findings: Options | None = Field(None, repr=False)

    @property
    def options(self) -> LeakOptions:
        """As the job's workers need it."""
        return LeakOptions(self.directory, self.sample, self.keep)
