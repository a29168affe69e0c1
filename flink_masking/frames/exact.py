"""Whether values are the same after a library has found a type for them; libraries make 1.0 of True, and cut nanoseconds."""

from typing import Any

import numpy as np
import pyarrow as pa


def unchanged(given: Any, made: Any) -> bool:
    """Whether a value is what it was.

    Args:
        given: as it was given; a sequence, a dict, or a scalar of Python or numpy.
        made: the same as Arrow gives it back. Members that are not given are null, and so are NaN and NaT.
    """
    if isinstance(given, dict):
        return isinstance(made, dict) and given.keys() <= made.keys() and all(unchanged(given.get(name), one) for name, one in made.items())
    if isinstance(given, list | tuple | np.ndarray):
        return isinstance(made, list) and len(given) == len(made) and all(map(unchanged, given, made))
    if made is None or given is None:
        return made is None and (given is None or type(given).__name__ in ("NAType", "NaTType") or bool(given != given))
    if isinstance(made, float) and made != made:
        return bool(given != given)
    return isinstance(given, bool | np.bool_) == isinstance(made, bool) and bool(given == made)


def may_change(kind: pa.DataType) -> bool:
    """Whether Arrow, when it finds a type for Python's values, gives this one to values that it does not hold exactly."""
    if pa.types.is_nested(kind):
        return any(may_change(kind.field(number).type) for number in range(kind.num_fields))
    return pa.types.is_floating(kind) or pa.types.is_temporal(kind)
