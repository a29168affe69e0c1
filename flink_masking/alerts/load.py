"""From the text of a rules file to rules that can be used, or to all that is wrong with it, each with its place."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flink_masking.alerts.rules import KINDS, Rules, model_at
from flink_masking.documents import structure
from flink_masking.documents.document import Document, Mark, cut
from flink_masking.documents.faults import Faults, did_you_mean
from flink_masking.errors import InputError, PolicyError

LARGEST = 1 << 20


class AlertFaults(Faults, PolicyError):
    """Rules that cannot be used; see `Faults`."""

    what, start = "the rules file", "start with 'version: 1'"


def read(path: Path) -> Rules:
    """Read a file of rules.

    Raises:
        AlertFaults: with all that is wrong.
        InputError: the file cannot be read.
    """
    return rules_of(str(path), text_of(path))


def text_of(path: Path) -> str:
    """The text of a file of rules.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as opened:
            data = opened.read(LARGEST + 1)
        text = data.decode()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Hint: name a file with alert rules") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: it is not text in UTF-8. Hint: name a file with alert rules") from None
    if len(data) > LARGEST:
        raise InputError(f"{path}: larger than {LARGEST} bytes. Hint: name a file with alert rules")
    return text


def rules_of(name: str, text: str) -> Rules:
    """The rules of a text.

    Args:
        name: of the source, for faults.
        text: YAML.

    Raises:
        AlertFaults: with all that is wrong.
    """
    document = Document(name, text, AlertFaults)
    try:
        return Rules.model_validate(document.value)
    except ValidationError as error:
        faults = structure.faults_of(error, document, (), AlertFaults.what, lambda path: _known(path, document),
                                     lambda details, loc: _special(details, loc, document), _example)
    raise AlertFaults(name, faults)


def _at(path: Sequence[str | int], document: Document) -> object:
    found = document.value
    for step in path:
        found = found[step]
    return found


def _known(path: Sequence[str | int], document: Document) -> list[str]:
    model = model_at(tuple(path), _at(path, document))
    return [] if model is None else list(model.model_fields)


def _special(details: ErrorDetails, loc: tuple[str | int, ...], document: Document) -> tuple[Mark, str, str] | None:
    name = next((cut(step) for step in reversed(document.resolve(loc)) if isinstance(step, str)), AlertFaults.what)
    target = loc[:1] == ("targets",)
    if details["type"] == "union_tag_not_found":
        if target:
            return document.key_mark(loc), f"'{name}' says not where alerts go", "webhook: https://…, file: /path or kafka: {topic: …}"
        return document.key_mark(loc), f"'when' is missing in '{name}'", f"known: {', '.join(KINDS)}"
    if details["type"] == "union_tag_invalid":
        tag = str(details.get("ctx", {}).get("tag"))
        return document.mark((*loc, "when")), f"'{cut(tag)}' is nothing that rules can watch", did_you_mean(tag, KINDS, "kinds")
    if details["type"] == "string_pattern_mismatch":
        return document.key_mark(loc), f"'{name}' has a character that it cannot have", "letters, digits, '.', '_' and '-'"
    return None


_EXAMPLES = {"version": "version: 1", "rules": "rules: {leaks: {when: leak, severity: critical}}", "older_than": "older_than: 90d",
             "after": "after: 5min", "share_above": "share_above: 0.01", "above": "above: 100", "secret": "secret: ${file:/path}"}


def _example(path: Sequence[str | int]) -> str:
    text = _EXAMPLES.get(str(path[-1])) if path else None
    return "" if text is None else f"such as {text}"
