"""Scores findings in running text by presidio-evaluator's SpanEvaluator, in two steps as the packages want different releases of numpy.

``python tests/benchmarks/score_texts.py predict SET.json FOUND.json`` with flink-masking, then, in an environment of its own with
presidio-evaluator 0.3.2 installed, ``python tests/benchmarks/score_texts.py score SET.json FOUND.json``. SET is in presidio-evaluator's
format. No model is loaded. ``hold_back SET.json OTHER.json``, also with presidio-evaluator, makes a set from its templates that SET
does not use: detection was never adjusted to it, and must not be.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any


def predict(gold: Path, output: Path) -> None:
    """Write for each text the spans that are found: first character, character after the last, type."""
    import numpy as np

    from flink_masking.detect import TYPES, Detectors

    raw = [sample["full_text"].encode() for sample in json.loads(gold.read_text())]
    ends = np.cumsum([0, *map(len, raw)]).astype(np.int64)
    found = Detectors().find(np.frombuffer(b"".join(raw), np.uint8), ends[:-1], ends[1:])
    spans: list[list[tuple[int, int, str]]] = [[] for _ in raw]
    for kind, start, end, value in zip(found.types, found.starts, found.ends, found.values, strict=True):
        text, first = raw[value], int(ends[value])
        spans[value].append((len(text[: start - first].decode()), len(text[: end - first].decode()), TYPES[kind].name))
    output.write_text(json.dumps(spans))


def score(gold: Path, found: Path) -> None:
    """Print F2, precision and recall over all types together, at three overlaps."""
    import pandas as pd
    import presidio_evaluator.data_objects as objects
    import presidio_evaluator.span_to_tag as tags
    import spacy
    from presidio_evaluator import InputSample
    from presidio_evaluator.evaluation import SpanEvaluator

    blank = spacy.blank("en")  # the evaluator's tokens come from the tokenizer, no other part of a pipeline is needed

    def tokenize(text: str, model_version: Any = None) -> Any:
        return blank(text)

    tags.get_spacy, tags.tokenize = (lambda *_, **__: blank), tokenize
    if hasattr(objects, "tokenize"):
        objects.tokenize = tokenize
    rows = []
    for number, (sample, spans) in enumerate(zip(InputSample.read_dataset_json(gold), json.loads(found.read_text()), strict=True)):
        for token, tag in zip(sample.tokens, sample.tags, strict=True):
            start, end = token.idx, token.idx + len(token.text)
            label = next((kind for first, last, kind in spans if first < end and start < last), "O")
            rows.append((number, token.text, tag.split("-", 1)[-1] if tag[:2] in ("B-", "I-", "U-", "L-") else tag, label, start))
    table = pd.DataFrame(rows, columns=["sentence_id", "token", "annotation", "prediction", "start_indices"])
    for overlap in (0.9, 0.7, 0.5):
        result = SpanEvaluator(iou_threshold=overlap).calculate_score_on_df(results_df=table, level="pii")
        print(f"IoU {overlap}: F2 {result.pii_f:.3f}, precision {result.pii_precision:.3f}, recall {result.pii_recall:.3f}")


def hold_back(known: Path, output: Path) -> None:
    """Write 2,000 texts made from the templates of presidio-evaluator that are unlike all templates of a known set."""
    from difflib import get_close_matches

    from presidio_evaluator import data_generator as generator
    from presidio_evaluator.data_generator import presidio_sentence_faker as faker

    def plain(template: str) -> str:
        return " ".join(re.sub(r"\{\{\w+\}\}", " ", template.replace("\\n", "\n")).lower().split())

    used = {plain(sample["masked"]) for sample in json.loads(known.read_text())}
    lines = (generator.raw_data_dir / "templates.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    templates = [line.strip() for line in lines if line.strip() and not get_close_matches(plain(line), used, 1, 0.8)]
    # Names of hospitals would be fetched from the network.
    providers = [provider for provider in faker.presidio_additional_entity_providers if provider is not faker.HospitalProvider]
    made = faker.PresidioSentenceFaker("en_US", 0.05, templates, providers, random_seed=20261122).generate_new_fake_sentences(2_000)
    output.write_text(json.dumps([sample.to_dict() for sample in made]))
    print(f"{len(made)} texts of {len(templates)} templates")


if __name__ == "__main__":
    {"predict": predict, "score": score, "hold_back": hold_back}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
