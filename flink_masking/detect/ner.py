"""The detector ``ner``: any spaCy pipeline that is installed reads running text for names. Off unless it is named."""

from collections.abc import Sequence
from typing import Any

from flink_masking.detect.plugins import Detector, Span
from flink_masking.errors import PolicyError

LABELS = {
    "PERSON": "PERSON", "PER": "PERSON", "GPE": "CITY", "LOC": "CITY", "FAC": "STREET_ADDRESS", "ORG": "ORGANIZATION",
    "NORP": "NATIONALITY", "DATE": "DATE",
}  # fmt: skip
"""Labels of spaCy's pipelines (OntoNotes, WikiNER) and the types that they are."""

CONFIDENCE = {"DATE": 50}
"""Where it is not 70."""


class SpacyDetector:
    """Names that a pipeline finds."""

    def __init__(self, pipeline: Any) -> None:
        """Take a pipeline that sets ``doc.ents``."""
        self._pipeline = pipeline

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """See `Detector`."""
        return [
            [Span(LABELS[ent.label_], ent.start_char, ent.end_char, CONFIDENCE.get(ent.label_, 70)) for ent in doc.ents
             if ent.label_ in LABELS]
            for doc in self._pipeline.pipe(texts)
        ]  # fmt: skip


def spacy_detector(model: str = "") -> Detector:
    """Load a spaCy pipeline.

    Args:
        model: name of an installed pipeline, such as ``en_core_web_sm``, or its directory. Nothing is downloaded.

    Raises:
        PolicyError: spaCy or the pipeline is not installed.
    """
    try:
        import spacy
    except ImportError:
        raise PolicyError("detector 'ner': spaCy is not installed. Hint: pip install 'flink-masking[ner]', and a pipeline") from None
    if not model:
        raise PolicyError("detector 'ner': no pipeline is named. Hint: model: en_core_web_sm, or the name of another installed one")
    try:
        return SpacyDetector(spacy.load(model))
    except OSError:
        raise PolicyError(f"detector 'ner': the pipeline {model[:60]!r} is not installed. Hint: install it as a package, or give its "
                          "directory") from None
