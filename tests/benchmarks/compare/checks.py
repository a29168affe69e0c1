"""Whether contestants did the same work: each function takes their answers by name, and says in a sentence what it held against what."""

from typing import Any

Answers = dict[str, Any]


class Differs(Exception):
    """Answers that are not what they must be."""


def same(answers: Answers, given: dict[str, Any]) -> str:
    """All give the same texts; those of another cipher, which come opened, the values themselves."""
    clear = given["values"][:200]
    made = {name: texts for name, texts in answers.items() if texts != clear}
    first = next(iter(made.values()), clear)
    for name, texts in made.items():
        if texts != first:
            raise Differs(f"{name}: another result than {next(iter(made))}")
    opened = [name for name in answers if name not in made]
    told = [f"{', '.join(made)}: the same {len(clear)} results"] if made else []
    return "; ".join([*told, *([f"{', '.join(opened)}: every value opened again"] if opened else [])])


def masked(answers: Answers, given: dict[str, Any]) -> str:
    """All fields but the pseudonym are the same in every line; pseudonyms are alike where those of the others are."""
    lines = {name: [{**line, "purchaseAmount": float(line["purchaseAmount"])} for line in told] for name, told in answers.items()}
    if not lines:
        return ""
    first_name, first = next(iter(lines.items()))
    for name, told in lines.items():
        rest = [{key: value for key, value in line.items() if key != "customerId"} for line in told]
        if rest != [{key: value for key, value in line.items() if key != "customerId"} for line in first]:
            raise Differs(f"{name}: other lines than {first_name}")
        pairs = {(mine["customerId"], theirs["customerId"]) for mine, theirs in zip(told, first, strict=True)}
        if len(pairs) != len({mine for mine, _ in pairs}) or len(pairs) != len({theirs for _, theirs in pairs}):
            raise Differs(f"{name}: customers who are one person in {first_name} are not here, or the other way round")
    return f"{', '.join(lines)}: {len(first)} lines with the same seven fields, and pseudonyms one to one"


def groups(answers: Answers, given: dict[str, Any]) -> str:
    """Every group has k records, and every record is in a group or suppressed."""
    for name, told in answers.items():
        if min(told["sizes"]) < given["k"]:
            raise Differs(f"{name}: a group of {min(told['sizes'])} records, for k = {given['k']}")
        if sum(told["sizes"]) + told["suppressed"] != given["records"]:
            raise Differs(f"{name}: {sum(told['sizes'])} records in groups and {told['suppressed']} suppressed of {given['records']}")
    return f"{', '.join(answers)}: every group of {given['k']} records or more, every record in a group or suppressed"


def measures(answers: Answers, given: dict[str, Any]) -> str:
    """The same k and l."""
    if not answers:
        return ""
    first = next(iter(answers.values()))
    for name, told in answers.items():
        if told != first:
            raise Differs(f"{name}: {told}, and not {first}")
    return f"{', '.join(answers)}: k = {first['k']:g}, l = {first['l']:g}"


def spans(answers: Answers, given: dict[str, Any]) -> str:
    """An answer for each text; how much each finds is scored, not checked."""
    for name, told in answers.items():
        if len(told) != len(given["texts"]):
            raise Differs(f"{name}: answers for {len(told)} of {len(given['texts'])} texts")
    return f"all see the same {len(given['texts']):,} texts"


def replaced(answers: Answers, given: dict[str, Any]) -> str:
    """Texts that all worked on no longer hold an e-mail address; how much else each finds is scored under detection."""
    count = min(map(len, answers.values()), default=0)
    mails = [(number, text[first:last]) for number, text in enumerate(given["texts"][:count])
             for first, last, kind in given["gold"][number] if kind == "EMAIL"]
    for name, told in answers.items():
        if left := sum(mail in told[number] for number, mail in mails):
            raise Differs(f"{name}: {left} of {len(mails)} e-mail addresses are left")
    return f"{', '.join(answers)}: none of {len(mails)} e-mail addresses in {count} texts is left"
