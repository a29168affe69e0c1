"""Every change to PyFlink, Beam and pyarrow, one module for each; nothing outside this package reaches into their private parts.

`apply` makes the changes that it is asked for and reports which could not be made; see `flink_masking.flink.compat.patch`. Others are
no such patches: `beam_services` is a matter of security, so a job is refused without it; `java_objects` and `worker` name what there is no
other way to; `versions` compares the client's releases with the workers'.
"""

from flink_masking.flink.compat.arrow_columns import ARROW_COLUMNS
from flink_masking.flink.compat.arrow_results import ARROW_RESULTS
from flink_masking.flink.compat.arrow_streams import ARROW_STREAMS
from flink_masking.flink.compat.output_streams import OUTPUT_STREAMS
from flink_masking.flink.compat.patch import Patch, Report, apply, report
from flink_masking.flink.compat.state_sampler import STATE_SAMPLER

__all__ = ["ARROW_COLUMNS", "ARROW_RESULTS", "ARROW_STREAMS", "BESIDE", "KEYED", "OUTPUT_STREAMS", "PROTECT", "SQL", "STATE_SAMPLER",
           "Patch", "Report", "apply", "report"]  # fmt: skip

KEYED = (STATE_SAMPLER,)
"""For operators that keep state."""
SQL = (STATE_SAMPLER, ARROW_RESULTS)
"""For functions in a query that may call functions of others, too."""
PROTECT = (*SQL, ARROW_COLUMNS, ARROW_STREAMS, OUTPUT_STREAMS)
"""For jobs whose vectorised functions are all of this library."""
BESIDE = (*SQL, ARROW_STREAMS, OUTPUT_STREAMS)
"""For Protect in a job that may hold vectorised functions of others, which get their columns as PyFlink makes them."""
