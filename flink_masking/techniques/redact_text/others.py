"""The detectors of other packages that a rule names, made once in a process: a model may take seconds and gigabytes to load."""

import json
from functools import cache

from flink_masking.detect.plugins import Detector, load
from flink_masking.techniques.redact_text import RedactTextParams


def other_detectors(params: RedactTextParams) -> tuple[Detector, ...]:
    """Make what ``detectors`` names, or take what was made before of the same options.

    Raises:
        PolicyError: there is no detector of a name, its package is not installed, or it does not take its options.
    """
    return tuple(_made(name, json.dumps(options, sort_keys=True)) for name, options in params.detectors.items())


@cache
def _made(name: str, options: str) -> Detector:
    return load(name, **json.loads(options))
