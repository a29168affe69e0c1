"""Functions for Flink SQL, by the names that users type: ``udfs.pseudonym``, ``udfs.mask``, ``udfs.protect`` …

    import udfs
    udfs.register_all(t_env)
    t_env.execute_sql("SELECT pseudonym(email, 'customer'), mask(card, '{technique: partial, keep_last: 4}') FROM payments")

In pure SQL, ``flink-masking sql functions`` prints the declarations. Keys, vault, policy, and who asks for clear values and why are job
parameters, set as one YAML map; functions carry none of it:

    SET 'pipeline.global-job-parameters' = '{flink-masking.keys: ''file:///secrets/keys.json''}';

``udfs.views_3_view0`` and its like are what the script of ``flink-masking sql job`` uses: the first view of a policy with three masked
segments; with a key or header to protect for Kafka, ``udfs.views_3_1_view0``. A script calls all columns of its policy, with one batch.
"""

import re
from typing import TYPE_CHECKING

from flink_masking.flink.sql import value_function, view_functions
from flink_masking.sql.functions import FUNCTIONS

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

__all__ = [*FUNCTIONS, "register_all"]

globals().update({name: value_function(name) for name in FUNCTIONS})


def register_all(environment: "TableEnvironment") -> None:
    """Register every function under its name, as temporary system functions.

    Args:
        environment: where SQL runs; its settings should carry those of `flink_masking.flink.settings`.
    """
    for name in FUNCTIONS:
        environment.create_temporary_system_function(name, globals()[name])


def __getattr__(name: str) -> "UserDefinedScalarFunctionWrapper":
    """``views_N_COLUMN``, for any number of masked segments, and ``views_N_P_COLUMN`` with P keys and headers for Kafka."""
    if found := re.fullmatch(r"views_([0-9]{1,3})(?:_([0-9]{1,3}))?_([a-z]\w*)", name):
        functions = view_functions(int(found[1]), None if found[2] is None else int(found[2]))
        if found[3] in functions:
            return functions[found[3]]
    raise AttributeError(f"module 'udfs' has no function {name!r}. Hint: flink-masking sql functions lists them")
