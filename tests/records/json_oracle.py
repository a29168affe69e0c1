"""Independent models that the JSON codec is tested against: a strict parser, documents that render themselves, a walk along paths."""

import json
import random

import orjson
from hypothesis import strategies as st

from flink_masking.records.paths import Wild, parse_path


class Number(str):
    """The text of a number."""


def _refuse(_):
    raise ValueError("not JSON")


def strict(raw):
    """The tree of a JSON text, objects as ("obj", pairs) and numbers as text, or ValueError: RFC 8259, no half surrogate pairs."""
    tree = json.loads(raw.decode("utf-8"), object_pairs_hook=lambda pairs: ("obj", pairs), parse_constant=_refuse,
                      parse_float=Number, parse_int=Number)
    json.dumps(tree, ensure_ascii=False).encode("utf-8")
    return tree


def is_valid(raw):
    """Whether the standard library takes it, made strict."""
    try:
        strict(raw)
        return True
    except (ValueError, RecursionError):
        return False


def orjson_valid(raw):
    """Whether orjson takes it; 1e999 is RFC 8259 text that no double holds, which orjson refuses."""
    try:
        orjson.loads(raw)
        return True
    except orjson.JSONDecodeError as error:
        return "number is infinity" in str(error) and is_valid(raw)


# Documents: ("lit" | "num", text), ("str", text, value), ("arr", space, [(space, node, space)]),
# ("obj", space, [(space, key, quoted key, space, space, node, space)]).

_ANY_TEXT = st.characters(blacklist_categories=("Cs",))
_KEYS = ["a", "b", "c", "d", "", "a.b", "é", "ключ", 'q"q', "back\\", "long-key-" * 5, "aa", "zz"]
KEYS = st.sampled_from(_KEYS) | st.sampled_from(_KEYS) | st.text(_ANY_TEXT, max_size=4)
TEXT = st.text(_ANY_TEXT, max_size=8) | st.text(max_size=60, alphabet='abc\\"é/\n😀')
NUMBERS = st.sampled_from(
    ["0", "-0", "12.50", "1e5", "1E+10", "0.0e-0", "-1.5E-3", "123456789012345678901234567890", "1e999"]) | st.integers().map(str)
SCALARS = st.one_of(TEXT.map(lambda text: ("str", text)), NUMBERS.map(lambda text: ("num", text)),
                    st.sampled_from(["true", "false", "null"]).map(lambda text: ("lit", text)))
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
SEEDS = st.integers(0, 1 << 32)


def _space(rnd):
    return rnd.choice(("", "", "", "", "", "", "", "", " ", "\n", "\t", "\r\n", "  "))


def _quoted(rnd, text):
    """A JSON string for text, with escapes here and there that nobody needs."""
    out = ['"']
    for character in text:
        how, short = rnd.randrange(10), _SHORT.get(character)
        if how == 0 or (ord(character) < 32 and (short is None or how == 1)):
            units = character.encode("utf-16-be").hex()
            out += ["\\u" + (units[k : k + 4].upper() if rnd.randrange(2) else units[k : k + 4]) for k in range(0, len(units), 4)]
        else:
            out.append(short or ("\\/" if character == "/" and how < 5 else character))
    return "".join(out) + '"'


def _laid_out(tree, rnd, unique):
    """A document for a tree: white space and escapes chosen by rnd; only the first of equal keys if `unique`."""
    if isinstance(tree, list):
        return ("arr", _space(rnd), [(_space(rnd), _laid_out(x, rnd, unique), _space(rnd)) for x in tree])
    if tree[0] == "str":
        return ("str", _quoted(rnd, tree[1]), tree[1])
    if tree[0] != "obj":
        return tuple(list(tree))
    members = tree[1] if not unique else list({key: (key, value) for key, value in reversed(tree[1])}.values())
    return ("obj", _space(rnd), [(_space(rnd), key, _quoted(rnd, key), _space(rnd), _space(rnd), _laid_out(value, rnd, unique), _space(rnd))
                                 for key, value in members])


def _members(values):
    return st.lists(st.tuples(KEYS, values), max_size=6).map(lambda members: ("obj", members))


_TREES = st.recursive(SCALARS, lambda values: st.lists(values, max_size=4) | _members(values), max_leaves=12)


def documents():
    """Any JSON value."""
    return st.builds(lambda tree, seed: _laid_out(tree, random.Random(seed), False), _TREES, SEEDS)


def objects(unique=False):
    """A JSON object, with or without duplicate keys; every node is an object of its own, so that id() tells them apart."""
    return st.builds(lambda tree, seed: _laid_out(tree, random.Random(seed), unique), _members(_TREES), SEEDS)


def render(node, put=None):
    """The text of a document; put: id of a node → text instead of it."""
    put = put or {}
    if id(node) in put:
        return put[id(node)]
    if node[0] in ("str", "num", "lit"):
        return node[1]
    if not node[2]:
        return ("[" + node[1] + "]") if node[0] == "arr" else ("{" + node[1] + "}")
    if node[0] == "arr":
        return "[" + ",".join(a + render(x, put) + b for a, x, b in node[2]) + "]"
    return "{" + ",".join(a + q + b + ":" + c + render(x, put) + d for a, k, q, b, c, x, d in node[2]) + "}"


def pruned(node, gone):
    """The parsed tree of a document without the nodes whose id is in `gone`."""
    if node[0] == "arr":
        return [pruned(x, gone) for _, x, _ in node[2] if id(x) not in gone]
    if node[0] == "obj":
        return ("obj", [(k, pruned(x, gone)) for _, k, _, _, _, x, _ in node[2] if id(x) not in gone])
    return strict(render(node).encode())


def text_of(node):
    """What values() must give for a node."""
    return node[2] if node[0] == "str" else None if node[1] == "null" else render(node)


class Walk:
    """What a scan must find in a document: hits[path], unknown nodes, and whether a fault makes the row fatal."""

    def __init__(self, document, emit, opaque=(), deny=True):
        """Walk along the paths `emit`."""
        self.names = {name: parse_path(name) for name in emit}
        self.opaque, self.deny = set(opaque), deny
        self.hits, self.unknown, self.faults = {name: [] for name in emit}, [], []
        self._visit(document, [(name, 0) for name in emit], root=True)

    def _visit(self, node, states, root=False):
        ends = [name for name, i in states if i == len(self.names[name])]
        for name in ends:
            self.hits[name].append(node)
        ahead = [(name, i) for name, i in states if i < len(self.names[name])]
        elements = [(name, i + 1) for name, i in ahead if self.names[name][i] is Wild.ELEMENT]
        members = [(name, i) for name, i in ahead if self.names[name][i] is not Wild.ELEMENT]
        opaque = self.opaque.intersection(ends)
        allowed = {"obj": bool(members) or root, "arr": bool(elements)}.get(node[0], not ahead and not root)
        if not allowed and not opaque and node[1] != "null":
            self.faults.append("type_mismatch")
        if node[0] == "arr" and elements:
            for _, element, _ in node[2]:
                self._visit(element, elements)
        elif node[0] == "obj" and (members or root):
            seen = set()
            for _, key, _, _, _, value, _ in node[2]:
                states = [(name, i + 1) for name, i in members if self.names[name][i] == key]
                states = states or [(name, i + 1) for name, i in members if self.names[name][i] is Wild.KEY]
                if key in seen and (states or self.deny):
                    self.faults.append("duplicate_field")
                seen.add(key)
                if states:
                    self._visit(value, states)
                else:
                    self.unknown.append(value)
