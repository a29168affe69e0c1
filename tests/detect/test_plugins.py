"""Detectors of other packages: they add findings, their faults are told without data, and none is used unless it is named."""

import json
import os
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
from found import in_records, in_text

from flink_masking.detect import Detectors
from flink_masking.detect.plugins import GROUP, Span, load
from flink_masking.detect.reasons import Reason
from flink_masking.errors import PolicyError


class Badges:
    """A detector of another package: badge numbers after a paragraph sign."""

    def find(self, texts):
        """Every ``§`` with the four characters after it."""
        return [[Span("USERNAME", k, k + 5, 80) for k in range(len(text) - 4) if text[k] == "§"] for text in texts]


def test_findings_of_another_detector_are_added():
    """They stand beside the library's own, with bounds in bytes, and the more certain one wins where both lie."""
    detectors = Detectors(extra=[Badges()])
    assert [("USERNAME", "§1234"), ("EMAIL", "a@b.io")] == in_text(detectors, "é §1234 a@b.io")
    assert [("t", "USERNAME", "\\u00a71234")] == in_records(detectors, ['{"t":"x \\u00a71234"}'])
    assert [] == in_text(Detectors(["EMAIL"], extra=[Badges()]), "§1234")


@pytest.mark.parametrize(
    "spans", [[Span("NOPE", 0, 1, 80)], [Span("EMAIL", 0, 99, 80)], [Span("EMAIL", 1, 1, 80)], [Span("EMAIL", 0, 1, 0)]],
)  # fmt: skip
def test_wrong_spans_are_refused(spans):
    """A span of an unknown type, outside of the text or of no confidence is an error, never ignored."""

    class Wrong:
        def find(self, texts):
            return [spans for _ in texts]

    with pytest.raises(PolicyError, match="a detector gave a span"):
        in_text(Detectors(extra=[Wrong()]), "some text")


def test_faults_of_a_detector_hide_its_message():
    """What a detector raises may hold data, so only its kind is told."""

    class Faulty:
        def find(self, texts):
            raise RuntimeError(texts[0])

    with pytest.raises(PolicyError, match="RuntimeError") as caught:
        in_text(Detectors(extra=[Faulty()]), "jane@example.com")
    assert "jane" not in str(caught.value)


def test_detectors_come_by_entry_points(tmp_path, monkeypatch):
    """A package names a function that makes a detector; it is called with the options."""
    (tmp_path / "badges_package.py").write_text(
        "from flink_masking.detect.plugins import Span\n"
        "class Signs:\n"
        "    def __init__(self, sign): self.sign = sign\n"
        "    def find(self, texts): return [[Span('USERNAME', k, k + 1, 80) for k, c in enumerate(t) if c == self.sign] for t in texts]\n"
        "def make(sign='§'): return Signs(sign)\n"
        "def broken(): raise ValueError('secret')\n"
    )
    info = tmp_path / "badges_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badges-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nbadges = badges_package:make\nbroken = badges_package:broken\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert {"badges", "broken"} <= {entry.name for entry in metadata.entry_points(group=GROUP)}
    assert [("USERNAME", "%")] == in_text(Detectors(extra=[load("badges", sign="%")]), "a % b")
    with pytest.raises(PolicyError, match=r"cannot be made .ValueError.") as caught:
        load("broken")
    assert "secret" not in str(caught.value)
    with pytest.raises(PolicyError, match="unknown detector 'nope'"):
        load("nope")
    sys.modules.pop("badges_package", None)


INSTALLED = """
import json
import numpy as np
from flink_masking.detect import TYPES, Detectors
from flink_masking.detect.plugins import load

text = "badge %1234 of jane@example.com, not %12"
data = np.frombuffer(text.encode(), np.uint8)
def found(**options):
    spans = Detectors(names=False, **options).find(data, np.zeros(1, np.int64), np.array([len(data)]))
    return [(TYPES[t].name, text[s:e]) for t, s, e in zip(spans.types, spans.starts, spans.ends)]
print(json.dumps([found(), found(extra=[load("badges", sign="%")])]))
"""


def test_a_package_that_is_installed_brings_a_detector(third_party):
    """A distribution that pip has installed adds its detector by its entry point; nothing uses it unless it is named."""
    done = subprocess.run([sys.executable, "-P", "-c", INSTALLED], env={**os.environ, "PYTHONPATH": str(third_party)}, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    email = ["EMAIL", "jane@example.com"]
    assert [[email], [["USERNAME", "%1234"], email]] == json.loads(done.stdout)


def test_ner_says_what_is_missing():
    """The detector ``ner`` never downloads anything: without spaCy or a pipeline it says what to install."""
    with pytest.raises(PolicyError, match=r"detector 'ner'.*Hint"):
        load("ner", model="no_such_pipeline")


def statistical(spacy, folder):
    """An installed spaCy pipeline that was trained to recognise entities; where none is, one that is trained here, as its directory."""
    for name in sorted(spacy.util.get_installed_models()):
        if "ner" in spacy.load(name).pipe_names:
            return name
    from spacy.training import Example

    names = ["Mary Smith", "John Miller", "Peter Brown", "Anna Weber", "Laura Rossi", "Karl Meyer", "Olga Novak", "Luis Garcia"]
    frames = ["Yesterday {} called about the refund.", "We spoke to {} in the shop.", "The parcel of {} is late."]
    pipeline, lessons = spacy.blank("en"), []
    for frame in frames:
        for name in names:
            start = frame.index("{}")
            lessons.append((frame.format(name), {"entities": [(start, start + len(name), "PERSON")]}))
    lessons += [("The refund is late.", {"entities": []}), ("Call the shop about the parcel.", {"entities": []})]
    pipeline.add_pipe("ner").add_label("PERSON")
    spacy.util.fix_random_seed(1)
    examples = [Example.from_dict(pipeline.make_doc(text), wanted) for text, wanted in lessons]
    pipeline.initialize(lambda: examples)
    for _ in range(15):
        pipeline.update(examples)
    pipeline.to_disk(folder)
    return str(folder)


def test_ner_finds_names_with_a_trained_pipeline(tmp_path):
    """A trained pipeline finds a name in running text that nothing else looks for; without being asked for, none is used."""
    spacy = pytest.importorskip("spacy", reason="spaCy is an extra: pip install 'flink-masking[ner]'")
    text = "Yesterday Laura Miller called about the refund."
    assert [] == in_text(Detectors(names=False), text)
    detectors = Detectors(names=False, extra=[load("ner", model=statistical(spacy, tmp_path / "trained"))])
    assert ("PERSON", "Laura Miller") in in_text(detectors, text)
    raw = np.frombuffer(text.encode(), np.uint8)
    found = detectors.find(raw, np.zeros(1, np.int64), np.array([len(raw)]))
    assert {int(Reason.MODEL)} == set(found.reasons.tolist())


def test_ner_reads_what_the_rules_of_a_pipeline_find(tmp_path):
    """Entities of a spaCy pipeline become findings of the types that their labels mean."""
    spacy = pytest.importorskip("spacy", reason="spaCy is an extra: pip install 'flink-masking[ner]'")
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Zzyzx"}, {"label": "MONEY", "pattern": "five euros"}])
    pipeline.to_disk(tmp_path / "pipeline")
    detectors = Detectors(extra=[load("ner", model=str(tmp_path / "pipeline"))])
    assert [("PERSON", "Zzyzx")] == in_text(detectors, "we gave Zzyzx five euros")
