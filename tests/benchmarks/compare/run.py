"""This library and its peers over the same data: ``make compare``, or ``python tests/benchmarks/compare/run.py --output FILE``.

Peers run in environments of their own below build/compare, which the first run installs; one that cannot be had is named as not run.
Nothing fails on time. Ends with 1 where a contestant's answers are not those of the others.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from math import isfinite
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE))

import checks  # noqa: E402
import detection  # noqa: E402
import environments  # noqa: E402
import race  # noqa: E402
from comparisons import COMPARISONS, FULL, QUICK, Comparison, Sources  # noqa: E402

TEMPLATES = "lib/python*/site-packages/presidio_evaluator/data_generator/raw_data/templates.txt"


def machine() -> dict[str, Any]:
    """What the figures were measured on, and when."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0], "system": platform.platform(),
            "python": platform.python_version(), "date": datetime.datetime.now(datetime.UTC).date().isoformat()}


def compare(comparison: Comparison, sources: Sources, home: Path, work: Path) -> dict[str, Any]:
    """One comparison.

    Args:
        comparison: what is compared.
        sources: of inputs.
        home: below which environments are.
        work: a private folder for inputs and answers, which hold throw-away keys.

    Returns:
        For each contestant start, versions, rounds and ratios, or why it did not run; and what was checked.
    """
    told: dict[str, dict[str, Any]] = {}
    answers: checks.Answers = {}
    ours = comparison.contestants[0].name
    with ExitStack() as stack:
        running: dict[str, race.Running] = {}
        for number, one in enumerate(comparison.contestants):
            entry = told[one.name] = {"note": one.note, "share": one.share}
            given, answered = work / f"{number}.json", work / f"{number}.answers"
            try:
                python = environments.python_of(one.environment, home)
                given.write_text(json.dumps(comparison.given(sources, one.share)))
                running[one.name] = stack.enter_context(race.Running(one, python, given, answered))
            except (environments.NotHad, race.Failed, OSError) as error:
                entry["not_run"] = str(error)
                print(f"  {one.name} does not run: {error}", file=sys.stderr, flush=True)
                continue
            answers[one.name] = json.loads(answered.read_text())
            entry |= {"start": running[one.name].start, "versions": running[one.name].versions}
        whole = comparison.given(sources, 1)
        result: dict[str, Any] = {"title": comparison.title, "unit": comparison.unit, "contestants": told, "machine": machine()}
        try:
            result["checked"] = comparison.check(answers, whole)
        except checks.Differs as error:
            result["differs"] = str(error)
        if comparison.check is checks.spans:
            for name, found in answers.items():
                told[name]["found"] = detection.score(found, whole["gold"])
        for name, found in answers.items():
            if isinstance(found, dict) and "loss" in found:
                told[name] |= {**found, "sizes": len(found["sizes"])}
        if ours in running:
            rounds = race.alternate(running, min(sources.size.rounds, comparison.most), comparison.warm)
            for name, figures in race.ratios(rounds, ours).items():
                told[name] |= {"rounds": [{clock: one[clock] if isfinite(one[clock]) else None for clock in one} for one in rounds[name]],
                               "times_ours": figures,
                               "seconds": {clock: race.spread([one[clock] for one in rounds[name]]) for clock in ("cpu", "wall")}}
    return result


def main() -> None:
    """Compare, and write JSON, a Markdown table and a picture beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/compare.json"))
    parser.add_argument("--quick", action="store_true", help="little data and two rounds: shows that everything runs, not how fast")
    parser.add_argument("--rounds", type=int, help="rounds that count")
    parser.add_argument("--adult", type=Path, help="folder of the Adult extract in ARX's form, instead of a generated census")
    parser.add_argument("--texts", type=Path, help="texts in presidio-evaluator's format, instead of generated ones")
    parser.add_argument("--only", action="append", choices=COMPARISONS, help="this comparison only; others stay in the file; repeatable")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    size = size._replace(rounds=options.rounds) if options.rounds else size
    home = options.output.resolve().with_suffix("")
    home.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = json.loads(options.output.read_text()) if options.only and options.output.exists() else {}
    chosen = options.only or list(COMPARISONS)
    templates = _templates(home) if options.texts is None and {"detection", "redaction"} & set(chosen) else None
    with tempfile.TemporaryDirectory(prefix="flink-masking-compare-") as folder:
        sources = Sources(size, Path(folder), templates, options.adult, options.texts)
        for name in chosen:
            print(f"{name}:", file=sys.stderr, flush=True)
            work = Path(folder) / f"work-{name}"
            work.mkdir()
            found[name] = {**compare(COMPARISONS[name], sources, home, work), "quick": options.quick}
            options.output.write_text(json.dumps(found, indent=2) + "\n")
    from picture import picture
    from table import markdown

    text = markdown(found)
    options.output.with_suffix(".md").write_text(text, encoding="utf-8")
    options.output.with_suffix(".svg").write_text(picture(found), encoding="utf-8")
    print(text)
    sys.exit(any("differs" in one for one in found.values()))


def _templates(home: Path) -> Path | None:
    try:
        environments.python_of("presidio", home)
    except environments.NotHad as error:
        print(f"no texts for detection: {error}", file=sys.stderr, flush=True)
        return None
    return next((home / "presidio").glob(TEMPLATES), None)


if __name__ == "__main__":
    main()
