"""The JSON Schema of alert rules, for editors; derived from the models."""

from typing import Any

from flink_masking.alerts.rules import Rules
from flink_masking.policy.durations import written
from flink_masking.policy.schema import DIALECT, Described


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file of alert rules.

    It says what has the form of rules; what contradicts itself, such as a share without a limit, is found by `flink_masking.alerts.load`.
    """
    found = {"$schema": DIALECT, **Rules.model_json_schema(by_alias=True, schema_generator=Described)}
    for model in (found, *found["$defs"].values()):
        for one in model.get("properties", {}).values():
            forms = [one, *one.get("anyOf", ())]
            if isinstance(one.get("default"), int) and any(form.get("type") == "string" for form in forms):
                one["default"] = written(one["default"])  # a duration, in ms for the models
    return found
