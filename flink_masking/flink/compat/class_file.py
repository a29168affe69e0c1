"""Java class files, as far as it takes to leave out a method or to replace instructions of one (The Java Virtual Machine Specification, 4).

Only methods without branches and exception handlers can be changed: these need neither stack maps nor jump offsets to be computed anew.
"""

import struct
from dataclasses import dataclass
from typing import Self

_MAGIC = 0xCAFEBABE
_UTF8, _CLASS, _METHOD, _NAME_AND_TYPE = 1, 7, 10, 12
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
"""Bytes after the tag of each kind of constant but text."""
_TWO_PLACES = (5, 6)
"""Long and double take two places of the constant pool."""


class ClassFormatError(ValueError):
    """The class is not what it was expected to be."""


@dataclass(frozen=True)
class Member:
    """A field or a method: its bytes up to the attributes, and those by name."""

    head: bytes
    attributes: list[tuple[bytes, bytes]]


class ClassFile:
    """A class that can be read, changed and written."""

    def __init__(self, data: bytes) -> None:
        """Parse a class.

        Args:
            data: content of a ``.class`` file.

        Raises:
            ClassFormatError: it is none.
        """
        self._data, self._at = data, 0
        try:
            if self._take(">I")[0] != _MAGIC:
                raise ClassFormatError("no class file")
            self._version = self._bytes(4)
            self._constants: list[bytes] = [b""]
            count = self._take(">H")[0]
            while len(self._constants) < count:
                self._constants += self._constant()
            self._identity = self._bytes(6)
            self._identity += self._bytes(2 + 2 * struct.unpack_from(">H", data, self._at)[0])
            self._fields, self._methods = self._members(), self._members()
            self._rest = data[self._at :]
        except (struct.error, KeyError, IndexError) as error:
            raise ClassFormatError("no class file") from error

    def encode(self) -> bytes:
        """The class as a ``.class`` file."""
        constants = b"".join(self._constants)
        members = (struct.pack(">H", len(group)) + b"".join(map(self._encoded, group)) for group in (self._fields, self._methods))
        return b"".join([struct.pack(">I", _MAGIC), self._version, struct.pack(">H", len(self._constants)), constants, self._identity,
                         *members, self._rest])

    def without_method(self, name: str, descriptor: str) -> Self:
        """Leave a method out, so that the superclass's is called instead.

        Raises:
            ClassFormatError: there is no such method.
        """
        self._methods.remove(self._method(name, descriptor))
        return self

    def replace_code(self, name: str, descriptor: str, before: list[bytes], after: list[bytes]) -> Self:
        """Replace a sequence of instructions of a method.

        Args:
            name: of the method.
            descriptor: its type, such as ``(I)V``.
            before: instructions that stand there exactly once, one after the other; `call` makes some of them.
            after: what takes their place; it must need no more of the operand stack.

        Raises:
            ClassFormatError: there is no such method or sequence, or the method has branches or exception handlers.
        """
        method = self._method(name, descriptor)
        code = dict(method.attributes).get(b"Code")
        if code is None:
            raise ClassFormatError(f"{name} has no code")
        size = struct.unpack_from(">I", code, 4)[0]
        body, after_body = code[8 : 8 + size], 8 + size
        handlers = struct.unpack_from(">H", code, after_body)[0]
        self._at, self._data = after_body + 2, code
        if handlers or any(attribute == b"StackMapTable" for attribute, _ in self._attributes()):
            raise ClassFormatError(f"{name} has branches")
        if body.count(b"".join(before)) != 1:
            raise ClassFormatError(f"{name} has other instructions")
        body = body.replace(b"".join(before), b"".join(after))
        # No exception handlers, and no tables of line numbers and variables: they would be those of the instructions before.
        changed = code[:4] + struct.pack(">I", len(body)) + body + struct.pack(">HH", 0, 0)
        method.attributes[:] = [(b"Code", changed) if attribute == b"Code" else (attribute, text) for attribute, text in method.attributes]
        return self

    def call(self, opcode: int, owner: str, name: str, descriptor: str) -> bytes:
        """An instruction that calls a method of a class (``invokevirtual`` 0xb6, ``invokestatic`` 0xb8), its constants added if need be."""
        owns = self._index(_CLASS, struct.pack(">H", self._text(owner)))
        named = self._index(_NAME_AND_TYPE, struct.pack(">HH", self._text(name), self._text(descriptor)))
        return struct.pack(">BH", opcode, self._index(_METHOD, struct.pack(">HH", owns, named)))

    def _method(self, name: str, descriptor: str) -> Member:
        wanted = struct.pack(">HH", self._text(name), self._text(descriptor))
        found = [method for method in self._methods if method.head[2:] == wanted]
        if len(found) != 1:
            raise ClassFormatError(f"there is no method {name}")
        return found[0]

    def _text(self, text: str) -> int:
        return self._index(_UTF8, struct.pack(">H", len(text.encode())) + text.encode())

    def _index(self, tag: int, body: bytes) -> int:
        """The place of a constant, which is added where it is missing."""
        constant = bytes([tag]) + body
        if constant not in self._constants:
            self._constants.append(constant)
        return self._constants.index(constant)

    def _constant(self) -> list[bytes]:
        tag = self._data[self._at]
        size = 2 + struct.unpack_from(">H", self._data, self._at + 1)[0] if tag == _UTF8 else _SIZES[tag]
        constant = self._bytes(1 + size)
        return [constant, b""] if tag in _TWO_PLACES else [constant]

    def _members(self) -> list[Member]:
        return [Member(self._bytes(6), self._attributes()) for _ in range(self._take(">H")[0])]

    def _attributes(self) -> list[tuple[bytes, bytes]]:
        found = []
        for _ in range(self._take(">H")[0]):
            name, size = self._take(">HI")
            found.append((self._constants[name][3:], self._bytes(size)))
        return found

    def _encoded(self, member: Member) -> bytes:
        attributes = [struct.pack(">HI", self._text(name.decode()), len(body)) + body for name, body in member.attributes]
        return member.head + struct.pack(">H", len(attributes)) + b"".join(attributes)

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return values

    def _bytes(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise ClassFormatError("no class file")
        self._at += count
        return self._data[self._at - count : self._at]
