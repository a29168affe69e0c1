"""Laws on results: how many there are, what they depend on, and which values share one."""

import random
import re
import unicodedata

from flink_masking.records.kinds import NUMERIC, TEXT, Kind
from flink_masking.techniques.base import Action
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.promises import Shows
from flink_masking.testing.rule import REFUSED, Rule, keep_to, outcome
from flink_masking.testing.samples import SERIES, batch, mixed, texts

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def _series(rule: Rule) -> list[Values]:
    """Long series of values that the rule takes whole."""
    made = [batch([(kind, text) for text in some]) for kind, some in SERIES if kind in rule.technique.inputs]
    return [values for values in made if REFUSED not in rule.results(values)]


def action(rule: Rule) -> None:
    """A technique with an action keeps, and shows everything; or drops, and erases."""
    kept, done = rule.promises, rule.technique.action
    if done is Action.KEEP:
        keep_to(kept.shows is Shows.EXACT and kept.passes and kept.lasting and kept.injective and not kept.erases, "what is kept is shown")
    elif done is Action.DROP:
        keep_to(kept.shows is Shows.NOTHING and kept.erases and not (kept.lasting or kept.injective), "what is dropped is gone")
    else:
        rule.mask()


def one_result_a_value(rule: Rule) -> None:
    """Null stays null and is never refused; the empty text stays empty, unless every result is null; the input is not changed."""
    for values in _batches(rule):
        held = [None if part is None else part.to_pybytes() for part in values.text.buffers()], values.kinds.tobytes()
        for old, kind, new in zip(values.text.to_pylist(), values.kinds, rule.results(values), strict=True):
            if old is None or rule.promises.always_null:
                keep_to(new is None, "always_null: null stays null, and nothing else is" if old is None else "always_null")
            else:
                keep_to(new == "" if old == "" and kind in TEXT else new is not None, "always_null: an empty text stays empty")
        now = [None if part is None else part.to_pybytes() for part in values.text.buffers()], values.kinds.tobytes()
        keep_to(held == now, "the values that a mask is given are not changed")


def output_domain(rule: Rule) -> None:
    """Every result that is neither null nor refused belongs to the declared output domain."""
    for values in _batches(rule):
        domain = rule.technique.output(rule.params)
        for new in rule.results(values):
            text = new.decode() if isinstance(new, bytes) else new
            keep_to(text in (None, REFUSED, "") or domain.contains(text), f"a result belongs to the output domain: {domain.description}")


def deterministic(rule: Rule) -> None:
    """The seed of the batch matters exactly for what is not deterministic; the same seed always gives the same."""
    same = [rule.results(values, 1) == rule.results(values, 2) for values in _samples(rule)]
    keep_to(all(same) == rule.promises.deterministic, "deterministic")
    keep_to(all(rule.results(values, 1) == rule.results(values, 1) for values in _samples(rule)), "the same seed gives the same results")


def row_local(rule: Rule) -> None:
    """What is row-local gives a batch the same whole and in slices, and nothing of one row's value to another row."""
    if not rule.promises.row_local or rule.technique.action is not None:
        return
    for values in _batches(rule):
        ends = [Values(*(part[slice(*at)] for part in values)) for at in ((0, 3), (3, None))]
        mask = rule.mask()
        whole = outcome(mask, values)
        if rule.promises.deterministic:
            keep_to(whole == [new for end in ends for new in outcome(mask, end, where=values)], "row_local")
    for values in _series(rule):
        for old, new in zip(values.text.to_pylist(), rule.results(values), strict=True):
            others = set(values.text.to_pylist()) - {old}
            keep_to(rule.promises.deterministic or not (isinstance(new, str) and new in others), "row_local: another row's value")


def result(rule: Rule) -> None:
    """Where a schema need not allow text for every value, results of numbers read as numbers."""
    if rule.promises.result == "text" or rule.technique.action is not None:
        return
    for values in _series(rule):
        for kind, new in zip(values.kinds, rule.results(values), strict=True):
            text = new.decode() if isinstance(new, bytes) else new
            keep_to(text is None or kind not in NUMERIC or NUMBER.fullmatch(text) is not None, "result: a number of a number")


def stands_in(rule: Rule) -> None:
    """What stands for a person is the same in all of the person's records."""
    keep_to(not rule.promises.stands_in or rule.promises.lasting, "stands_in: what does not last stands for nobody")


def lasting(rule: Rule) -> None:
    """Equal values have one result in every batch, and many values nearly as many results, exactly where that is promised."""
    for values in _samples(rule):
        one, two = (rule.results(values, seed) for seed in (1, 2))
        if REFUSED not in one and rule.promises.shows not in (Shows.COARSER, Shows.PART):  # these are alike by chance, or not
            keep_to(rule.promises.lasting == (one == two and len(set(one)) > len(one) // 4), "lasting")
        elif rule.promises.lasting and REFUSED not in one:
            keep_to(one == two, "lasting: the same in every batch")


def shows(rule: Rule) -> None:
    """What is coarser is one function of the value that merges values; what is noisy promises bounds."""
    if rule.technique.action is not None:
        return
    if rule.promises.shows is Shows.NOISE:
        keep_to(rule.promises.bounds is not None, "shows: noise has bounds")
    if rule.promises.shows is Shows.COARSER:
        series = _series(rule) or _samples(rule)
        for values in series:
            alike = rule.results(values, 1) == rule.results(values, 2, people="another")
            keep_to(alike, "shows: a coarser value depends on the value alone")
    if rule.promises.shows is Shows.PART:
        keep_to(rule.promises.passes or rule.promises.injective, "shows: a part leaves as it came, or the rest is enciphered")


def injective(rule: Rule) -> None:
    """No two texts (in NFC) share a result; what leads back does not, either, for a result tells its value."""
    kept = rule.promises
    keep_to(kept.injective or not kept.reversible, "injective: what leads back tells its value")
    if not kept.injective or rule.technique.action is not None or Kind.STRING not in rule.technique.inputs:
        return
    rng = random.Random(3)
    near = ["1234567" + "".join(rng.choices("aA1 -é\u0301K", k=rng.randint(0, 4))) for _ in range(400)]
    many = [f"{number:07}" for number in range(0, 300_000, 67)]
    met: dict[object, str] = {}
    for some in (near, [text for kind, part in SERIES if kind in TEXT for text in part], many):
        for old, new in zip(some, rule.results(texts(some)), strict=True):
            whole = unicodedata.normalize("NFC", old)
            keep_to(new == REFUSED or met.setdefault(new, whole) == whole, "injective")


def composes(rule: Rule) -> None:
    """Two spellings of one text share a result where text is composed; where it is not, and no two texts share one, they have two."""
    if rule.technique.action is not None or Kind.STRING not in rule.technique.inputs or not rule.promises.deterministic:
        return
    words = ["Žofie Nováková", "áéúíó áéúíó áéú", "číslo", "novákováb", "éáéáéáéá"]
    made = [rule.results(texts([unicodedata.normalize(form, word) for word in words])) for form in ("NFC", "NFD")]
    for one, other in zip(*made, strict=True):
        if REFUSED not in (one, other):
            keep_to(one == other if rule.promises.composes else not rule.promises.injective or one != other, "composes")
        elif rule.promises.composes:
            keep_to(one == other, "composes")


def moves_with(rule: Rule) -> None:
    """A mask asks for the rows of exactly those fields that its field moves together with."""
    if rule.technique.action is not None:
        return
    for values in _batches(rule)[1:3]:
        asked: set[str] = set()

        def rows_of(path: str, asked: set[str] = asked, values: Values = values) -> object:
            asked.add(path)
            return values.rows

        rule.mask()(values, Context(bytes(32), None, rows_of))  # type: ignore[arg-type]
        keep_to(asked <= set(rule.promises.moves_with), "moves_with: the rows of another field are asked for")


def needs_subject(rule: Rule) -> None:
    """Whose record it is matters exactly where that is promised."""
    if rule.technique.action is not None or not rule.promises.deterministic:
        return
    same = [rule.results(values) == rule.results(values, people="another") for values in _samples(rule)]
    keep_to(all(same) != rule.promises.needs_subject, "needs_subject")


def _batches(rule: Rule) -> list[Values]:
    return [] if rule.technique.action is not None else mixed(rule.technique.inputs)


def _samples(rule: Rule) -> list[Values]:
    """One batch of many values of each kind that the rule takes."""
    if rule.technique.action is not None:
        return []
    return [batch([(kind, text) for text in some]) for kind, some in SERIES if kind in rule.technique.inputs]
