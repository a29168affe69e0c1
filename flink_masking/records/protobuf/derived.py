"""The Protobuf schema of a view: fields whose values become text are ``string`` in it, under the numbers that they have."""

from collections.abc import Iterator, Mapping
from typing import Any

from flink_masking.errors import InputError
from flink_masking.records.codec import Outcome, Result
from flink_masking.records.kinds import Kind
from flink_masking.records.nodes import Trie
from flink_masking.records.protobuf.printed import proto_text
from flink_masking.records.protobuf.program import BOOL, BYTES, ENUM, GROUP, MESSAGE, REPEATED, STRING, is_map
from flink_masking.records.span_kernels import UNDECLARED_NODE
from flink_masking.records.trie import Paths

_SHIPPED = ("google/protobuf/", "confluent/")
_HINT = "Hint: rules that keep the type, drop, or nullify"


def becomes_text(type_: int, outcome: Outcome) -> bool:
    """Whether a field of a type has to be ``string`` to hold what a rule makes of its values."""
    if type_ in (STRING, MESSAGE, GROUP):
        return False
    return outcome.result is Result.TEXT or (outcome.result is Result.KIND and type_ in (BYTES, ENUM, BOOL))


class Derivation:
    """The schema of a view of records of one message.

    Attributes:
        changed: whether it differs from that of the records.
    """

    def __init__(self, message: Any, file: Any, others: Mapping[str, Any], paths: Paths, outcomes: Mapping[int, Outcome]) -> None:
        """Derive.

        Args:
            message: descriptor of the records' message.
            file: FileDescriptorProto of the schema's own file.
            others: descriptors of all files that it imports, by name: FileDescriptorProto.
            paths: of the policy.
            outcomes: by path number.

        Raises:
            InputError: no schema can hold what the rules make.
        """
        self._trie, self._paths, self._outcomes = Trie(paths), paths, outcomes
        self._file, self._others = file, others
        self._variants: dict[str, list[Any]] = {}
        self._root = self._held(message, 0)
        if message.file.name != file.name and isinstance(self._root, tuple):
            raise InputError(f"Protobuf schema: the records' message is one of an imported file. {_HINT}")
        self.changed = isinstance(self._root, tuple)

    def text(self) -> str:
        """The schema as the text of a ``.proto`` file that imports nothing but ``google/protobuf/*``.

        Raises:
            InputError: the schema cannot be written as such a file.
        """
        return proto_text(_Assembly(self._file, self._others, self._variants, self._root).file)

    def _text(self, type_: int, node: int) -> bool:
        """Whether the values of a field of a type at a node become text.

        Raises:
            InputError: some of them would, and others not.
        """
        path = self._trie.path(node)
        if path < 0:
            return False
        numbers = [path, *(one.number for one in self._paths.selections if one.whole == path)]
        found = {becomes_text(type_, self._outcomes.get(number, Outcome(Result.KEEP))) for number in numbers}
        if len(found) > 1 or (len(numbers) > 1 and True in found):
            raise InputError(f"Protobuf schema: rules with selectors make text of some values of a field that holds none. {_HINT}")
        return True in found

    def _held(self, message: Any, node: int) -> Any:
        """The message in a view: its own full name, or the name with the number of a variant of it."""
        from google.protobuf import descriptor_pb2

        made, changed = descriptor_pb2.DescriptorProto(), False
        message.CopyToProto(made)
        for field, proto in zip(message.fields, made.field, strict=True):
            assert field.number == proto.number
            child = self._trie.member(node, field.name)
            if child <= UNDECLARED_NODE:
                continue
            if is_map(field):
                changed = self._map(field, proto, made, child) or changed
                continue
            value = self._trie.element(child) if field.label == REPEATED else child
            if value < 0:
                continue
            if field.message_type is not None:
                reference = self._held(field.message_type, value) if self._trie.within(value, Kind.OBJECT) >= 0 else None
                if isinstance(reference, tuple):
                    if field.type == GROUP:
                        raise InputError(f"Protobuf schema: a rule makes text of a value in a group. {_HINT}")
                    proto.type_name, changed = _named(reference), True
            elif self._text(field.type, value):
                if field.type == ENUM and field.label == REPEATED and field.enum_type.is_closed:
                    raise InputError(f"Protobuf schema: a rule makes text of repeated values of an enum of proto2. {_HINT}")
                _retype(proto)
                changed = True
        if not changed:
            return message.full_name
        known = self._variants.setdefault(message.full_name, [])
        data = made.SerializeToString(deterministic=True)
        number = next((k for k, one in enumerate(known) if one.SerializeToString(deterministic=True) == data), len(known))
        if number == len(known):
            known.append(made)
        return message.full_name, number

    def _map(self, field: Any, proto: Any, made: Any, node: int) -> bool:
        """Change the values of a map; whether anything changed."""
        value = field.message_type.fields_by_number[2]
        textual = field.message_type.fields_by_number[1].type == STRING
        nodes = [self._trie.member(node, key) for key in self._trie.named[node]] if textual else []
        places = [child for child in dict.fromkeys([*nodes, self._trie.other(node)]) if child > UNDECLARED_NODE]
        if value.message_type is not None:
            found = {self._held(value.message_type, place) if self._trie.within(place, Kind.OBJECT) >= 0 else value.message_type.full_name
                     for place in places}
        else:
            found = {self._text(value.type, place) for place in places if not self._drops(place)}
        if len(found) > 1:
            raise InputError(f"Protobuf schema: a rule changes the type of some values of a map. Hint: one rule for all of them, such as "
                             f"{self._paths.labels[node]}.*, or techniques that keep the type")
        (reference,) = found or {False}
        if reference is False or isinstance(reference, str):
            return False
        entry = next(one for one in made.nested_type if one.name == field.message_type.name)
        inner = next(one for one in entry.field if one.number == 2)
        if reference is True:
            _retype(inner)
        else:
            inner.type_name = _named(reference)
        return True

    def _drops(self, node: int) -> bool:
        outcome = self._outcomes.get(self._trie.path(node))
        return outcome is not None and outcome.result is Result.DROP


def _retype(proto: Any) -> None:
    """Make a field a text."""
    proto.type = STRING
    proto.ClearField("type_name")
    proto.ClearField("default_value")
    proto.options.ClearField("packed")


def _named(reference: tuple[str, int]) -> str:
    return f"#{reference[1]}:.{reference[0]}"


class _Assembly:
    """Puts variants of messages into one file.

    A variant takes the place of its message where nothing else in the file refers to that; otherwise it stands beside it, with a number
    behind its name. The message of the records keeps its name and its place, because index paths lead to it.
    """

    def __init__(self, file: Any, others: Mapping[str, Any], variants: Mapping[str, list[Any]], root: Any) -> None:
        from google.protobuf import descriptor_pb2

        if file.syntax not in ("", "proto2", "proto3"):
            raise InputError(f"Protobuf schema: a schema of editions is derived by no rule. {_HINT}")
        self.file = descriptor_pb2.FileDescriptorProto(name="view.proto", package=file.package, syntax=file.syntax)
        self.file.message_type.extend(file.message_type)
        self.file.enum_type.extend(file.enum_type)
        self._variants, self._moved = variants, dict[str, str]()
        self._imported(others, file)
        self._places = dict(self._declared())
        self._placed: dict[tuple[str, int], str] = {}
        self._put(root)
        for message in self.file.message_type:
            _cleaned(message)
        for enum in self.file.enum_type:
            _clean_enum(enum)

    def _prefix(self) -> str:
        return f".{self.file.package}" if self.file.package else ""

    def _declared(self) -> Iterator[tuple[str, tuple[Any, Any]]]:
        """By full name each message of the file, and the list that it stands in."""
        def below(messages: Any, above: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
            for one in messages:
                yield f"{above}.{one.name}", (one, messages)
                yield from below(one.nested_type, f"{above}.{one.name}")

        yield from below(self.file.message_type, self._prefix())

    def _imported(self, others: Mapping[str, Any], own: Any) -> None:
        """Write the messages of imported files into this one, but those of the standard library."""
        tops: dict[str, tuple[Any, bool, Any]] = {}
        for file in others.values():
            above = f".{file.package}" if file.package else ""
            for found, is_enum in ((file.message_type, False), (file.enum_type, True)):
                tops.update({f"{above}.{one.name}": (one, is_enum, file) for one in found})
        rest = [one for message in self.file.message_type for one in _references(message)]
        changed = {f".{name}" for name in self._variants}
        rest += [name for variants in self._variants.values() for one in variants for name in _references(one)]
        taken = {one.name for one in (*self.file.message_type, *self.file.enum_type)}
        google = set[str]()
        while rest:
            name = rest.pop().partition(":")[2] if rest[-1].startswith("#") else rest.pop()
            top = next((one for one in tops if name == one or name.startswith(f"{one}.")), None)
            if top is None or top in self._moved:
                continue
            part, is_enum, file = tops[top]
            if file.name.startswith(_SHIPPED) and not any(one == top or one.startswith(f"{top}.") for one in changed):
                google.add(file.name)
                continue
            if (file.syntax or "proto2") != (own.syntax or "proto2") and not file.name.startswith(_SHIPPED):
                raise InputError(f"Protobuf schema: an imported file has another syntax, so that the two cannot be one. {_HINT}")
            short = next(short for short in (part.name, *(f"{part.name}_{k}" for k in range(2, 1_000))) if short not in taken)
            taken.add(short)
            self._moved[top] = f"{self._prefix()}.{short}"
            copy = (self.file.enum_type if is_enum else self.file.message_type).add()
            copy.CopyFrom(part)
            copy.name = short
            rest += [] if is_enum else list(_references(part))
        self.file.dependency.extend(sorted(google))
        for message in self.file.message_type:
            _rename(message, self._now)

    def _now(self, name: str) -> str:
        """A reference after the messages of other files have moved here; those of variants stay as they are."""
        if name.startswith("#"):
            return name
        top = next((one for one in self._moved if name == one or name.startswith(f"{one}.")), None)
        return name if top is None else self._moved[top] + name[len(top) :]

    def _put(self, root: tuple[str, int]) -> None:
        """Place all variants that the root leads to, the root's first."""
        order, rest = list[tuple[str, int]](), [root]
        while rest:
            one = rest.pop()
            if one not in order:
                order.append(one)
                rest += [_meant(name) for name in _references(self._variants[one[0]][one[1]]) if name.startswith("#")]
        alone = {name for name, _ in order if sum(other == name for other, _ in order) == 1} | {root[0]}
        while True:  # those that something else refers to stay, and so does what they refer to
            inside = {self._now(f".{name}") for name in alone}
            kept = {reference for name, (message, _) in self._places.items() if name not in inside
                    for reference in _references(message, False)}
            kept |= {self._now(name) for one in order for name in _references(self._variants[one[0]][one[1]]) if not name.startswith("#")}
            again = {name for name in alone if self._now(f".{name}") not in kept or name == root[0]}
            if again == alone:
                break
            alone = again
        whole, instead = self._now(f".{root[0]}"), dict[str, str]()
        if whole in kept:  # a record that holds itself, with other rules within
            message, _ = self._places[whole]
            copy = self._beside(whole)
            copy.MergeFrom(_bare(message))
            instead[whole] = f"{whole.rpartition('.')[0]}.{copy.name}"
            for one in self.file.message_type:
                _rename(one, lambda name: instead.get(name, name))
        for one in order:
            place = self._now(f".{one[0]}")
            self._placed[one] = place
            if not (one[0] in alone and one == next(other for other in order if other[0] == one[0])):
                self._placed[one] = f"{place.rpartition('.')[0]}.{self._beside(place).name}"
        for one in order:
            self._write(one, instead)

    def _write(self, one: tuple[str, int], instead: Mapping[str, str]) -> None:
        """Write a variant to its place, beside what is declared in that already."""
        target, here = dict(self._declared())[self._placed[one]][0], self._placed[one]
        source, was = self._variants[one[0]][one[1]], self._now(f".{one[0]}")
        groups = {field.type_name.rpartition(".")[2] for field in source.field if field.type == GROUP}
        beside = [_copied(nested) for nested in target.nested_type if not nested.options.map_entry]
        beside += [_copied(nested) for nested in source.nested_type if nested.name in groups - {nested.name for nested in beside}]
        enums, name = [_copied(enum) for enum in target.enum_type], target.name
        target.CopyFrom(source)
        target.name = name
        entries = [_copied(nested) for nested in source.nested_type if nested.options.map_entry]
        del target.nested_type[:], target.enum_type[:]
        target.nested_type.extend([*entries, *beside])
        target.enum_type.extend(enums)
        own = {nested.name for nested in target.nested_type if nested.options.map_entry or nested.name in groups}

        def final(reference: str) -> str:
            if reference.startswith("#"):
                return self._placed[_meant(reference)]
            reference = self._now(reference)
            head, _, last = reference.rpartition(".")
            return f"{here}.{last}" if head == was and last in own else instead.get(reference, reference)

        _rename(target, final, False)
        for entry in target.nested_type:
            if entry.options.map_entry:
                _rename(entry, final, False)

    def _beside(self, place: str) -> Any:
        """A new message beside another one."""
        message, among = self._places[place]
        names = {one.name for one in among}
        name = next(f"{message.name}_{k}" for k in range(2, 10_000) if f"{message.name}_{k}" not in names)
        made = among.add()
        made.name = name
        return made


def _copied(part: Any) -> Any:
    copy = type(part)()
    copy.CopyFrom(part)
    return copy


def _bare(message: Any) -> Any:
    """A copy of a message without its name and the messages declared in it, entries of maps and groups excepted."""
    copy = _copied(message)
    groups = {field.type_name.rpartition(".")[2] for field in message.field if field.type == GROUP}
    entries = [one for one in message.nested_type if one.options.map_entry or one.name in groups]
    del copy.nested_type[:], copy.enum_type[:]
    copy.nested_type.extend(entries)
    copy.ClearField("name")
    return copy


def _meant(reference: str) -> tuple[str, int]:
    number, _, name = reference[1:].partition(":.")
    return name, int(number)


def _references(message: Any, nested: bool = True) -> Iterator[str]:
    """The types that the fields of a message name, those of its entries of maps and, if asked for, of all messages in it."""
    yield from (field.type_name for field in message.field if field.type_name)
    for one in message.nested_type:
        if nested or one.options.map_entry:
            yield from _references(one, nested)


def _rename(message: Any, change: Any, nested: bool = True) -> None:
    """Change the types that the fields of a message name."""
    for field in message.field:
        if field.type_name:
            field.type_name = change(field.type_name)
    for one in message.nested_type if nested else ():
        _rename(one, change)


def _cleaned(message: Any) -> None:
    """Remove options that are not written, extensions, and what belongs to them."""
    for field in message.field:
        packed = field.options.packed if field.options.HasField("packed") else None
        deprecated = field.options.deprecated
        field.ClearField("options")
        if packed is not None:
            field.options.packed = packed
        if deprecated:
            field.options.deprecated = True
    entry = message.options.map_entry
    message.ClearField("options")
    if entry:
        message.options.map_entry = True
    message.ClearField("extension")
    message.ClearField("extension_range")
    for oneof in message.oneof_decl:
        oneof.ClearField("options")
    for nested in message.nested_type:
        _cleaned(nested)
    for enum in message.enum_type:
        _clean_enum(enum)


def _clean_enum(enum: Any) -> None:
    alias = enum.options.allow_alias
    enum.ClearField("options")
    if alias:
        enum.options.allow_alias = True
    for value in enum.value:
        deprecated = value.options.deprecated
        value.ClearField("options")
        if deprecated:
            value.options.deprecated = True
