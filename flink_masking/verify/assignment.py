"""Which record each line of a view can come from, over all classes at once: each raw record is released once at most.

Class by class, lines of the same values leave open how many people they come from. Over the whole view it is decided: there is an
assignment of records to lines in which every class has k people, or there is none, because too few people have records in it that no
other class needs.
"""

import random
from collections import deque
from collections.abc import Collection, Sequence

import numpy as np

from flink_masking.verify.release import Classes, Release, corner

PASSES = 20
"""Over the classes that are short of people, at most."""
ATTEMPTS = 8
"""To assign all records, of which each lets the classes choose first that were short of people in those before."""


def enough_people(members: Sequence[np.ndarray], needed: int, records: np.ndarray) -> bool:
    """Whether every class can have so many different people, when a person is in no more classes than it has records.

    A flow from classes (each `needed`) to people (each by their records), along augmenting paths (Ford and Fulkerson 1956). What marks
    and boxes allow besides is left out, so that no means: in no assignment.

    Args:
        members: for each class, the people who can be in it, int64, each once.
        needed: people a class.
        records: int64, the records of each person, by number.
    """
    held: list[set[int]] = [set() for _ in members]
    free = records.copy()
    users: dict[int, set[int]] = {}
    for number, people in enumerate(members):
        order = people[np.argsort(-free[people], kind="stable")].tolist()
        for person in order:
            if len(held[number]) == needed or free[person] <= 0:
                break
            held[number].add(person)
            users.setdefault(person, set()).add(number)
            free[person] -= 1
        while len(held[number]) < needed:
            if not _augment(number, members, held, users, free):
                return False
    return True


def _augment(first: int, members: Sequence[np.ndarray], held: list[set[int]], users: dict[int, set[int]], free: np.ndarray) -> bool:
    """Find one more person for a class, at the expense of classes that find another; breadth first."""
    came: dict[int, tuple[int, int]] = {}  # person → the class that wants it, and the person that this class would give up
    queue: deque[tuple[int, int]] = deque([(first, -1)])
    seen = {first}
    while queue:
        wanting, given = queue.popleft()
        for person in members[wanting].tolist():
            if person in came or person in held[wanting]:
                continue
            came[person] = (wanting, given)
            if free[person] > 0:
                free[person] -= 1
                while person != -1:
                    wanting, given = came[person]
                    held[wanting].add(person)
                    users.setdefault(person, set()).add(wanting)
                    if given != -1:
                        held[wanting].discard(given)
                        users[given].discard(wanting)
                    person = given
                return True
            for other in users.get(person, ()):
                if other not in seen:
                    seen.add(other)
                    queue.append((other, person))
    return False


class _Group:
    """Lines of one class and one combination of released values, and the records that they can come from."""

    def __init__(self, number: int, lines: np.ndarray, fitting: np.ndarray) -> None:
        self.number, self.lines = number, lines
        self.fitting = fitting.tolist()
        self.fits = frozenset(self.fitting)
        self.taken: set[int] = set()


class _Matching:
    """Records given to groups of lines, each at most once."""

    def __init__(self, groups: list[_Group], people: np.ndarray, kept: dict[int, list[int]]) -> None:
        """Take the groups, the person of each record, and by class the people whose lines are known already."""
        self.groups, self._people = groups, people.tolist()
        self._owner: dict[int, _Group] = {}
        self.members: dict[int, dict[int, int]] = {}
        self.settled: set[int] = set()  # classes that keep what they have
        for number, known in kept.items():
            for person in known:
                self._count(number, person, 1)

    def _count(self, number: int, person: int, by: int) -> None:
        there = self.members.setdefault(number, {})
        there[person] = there.get(person, 0) + by
        if not there[person]:
            del there[person]

    def _take(self, group: _Group, record: int) -> None:
        group.taken.add(record)
        self._owner[record] = group
        self._count(group.number, self._people[record], 1)

    def _give(self, record: int) -> None:
        group = self._owner.pop(record)
        group.taken.discard(record)
        self._count(group.number, self._people[record], -1)

    def fill(self, first: Collection[int], k: int) -> bool:
        """Give every line a record: of new people before others, then along augmenting paths; False where lines are more than records.

        Args:
            first: classes that choose before all others, and keep what they have once they have k people.
            k: people a class.
        """
        order = sorted(self.groups, key=lambda one: (one.number not in first, len(one.fitting) - len(one.lines)))
        for number in sorted(first):
            self._different([group for group in order if group.number == number], k)
        for group in order:
            self._choose(group)
        early = [group for group in order if group.number in first]
        if not self._complete(early):
            return False
        self.settled |= {number for number in first if len(self.members[number]) >= k}
        return self._complete(order)

    def _different(self, groups: list[_Group], k: int) -> None:
        """Give lines of one class records of k people, if there are: a matching of lines and people (Kuhn 1955)."""
        records = [{self._people[record]: record for record in group.fitting if record not in self._owner} for group in groups]
        line_of: dict[int, int] = {}
        lines = [at for at, group in enumerate(groups) for _ in group.lines]

        def found(line: int, seen: set[int]) -> bool:
            for person in records[lines[line]].keys() - seen:
                seen.add(person)
                if person not in line_of or found(line_of[person], seen):
                    line_of[person] = line
                    return True
            return False

        for line in range(len(lines)):
            if len(line_of) < k:  # which bounds the depth of the search, too
                found(line, set())
        for person, line in line_of.items():
            self._take(groups[lines[line]], records[lines[line]][person])

    def _choose(self, group: _Group) -> None:
        there = self.members.setdefault(group.number, {})
        for new in (True, False):
            for record in group.fitting:
                if len(group.taken) == len(group.lines):
                    return
                if record not in self._owner and (self._people[record] not in there) == new:
                    self._take(group, record)

    def _complete(self, groups: list[_Group]) -> bool:
        return all(self._augment(group) for group in groups for _ in range(len(group.lines) - len(group.taken)))

    def _augment(self, first: _Group, barred: Collection[int] = ()) -> bool:
        """One more record for a group, of a person who is not barred, at the expense of groups that find another; breadth first."""
        came: dict[int, tuple[_Group, int]] = {}
        queue: deque[tuple[_Group, int]] = deque([(first, -1)])
        seen = {id(first)}
        while queue:
            group, given = queue.popleft()
            for record in group.fitting:
                if record in came or record in group.taken or (group is first and self._people[record] in barred):
                    continue
                came[record] = (group, given)
                owner = self._owner.get(record)
                if owner is None:
                    while record != -1:
                        group, given = came[record]
                        if given != -1:
                            self._give(given)
                        self._take(group, record)
                        record = given
                    return True
                if id(owner) not in seen and owner.number not in self.settled:
                    seen.add(id(owner))
                    queue.append((owner, record))
        return False

    def short(self, k: int) -> set[int]:
        """The classes that have fewer than k people."""
        return {group.number for group in self.groups if len(self.members[group.number]) < k}

    def spread(self, k: int, groups: list[_Group] | None = None) -> bool:
        """Exchange records until every class (of some groups) has k people; False where `PASSES` do not get there."""
        short, draw = groups or self.groups, random.Random(k)
        for number in range(PASSES):
            short = [group for group in groups or self.groups if len(self.members[group.number]) < k]
            if not short:
                break
            draw.shuffle(short)  # or two classes would take the same person from each other for ever
            for group in short:
                draw.shuffle(group.fitting)
            for group in short:
                self._diversify(group, k, number > 0)
        return not short

    def _diversify(self, group: _Group, k: int, far: bool) -> None:
        """Give records of people who are in a class twice for such of others: in an exchange of two, or along longer paths."""
        there = self.members[group.number]
        for record in sorted(group.taken):
            person = self._people[record]
            if len(there) >= k or there.get(person, 0) < 2:
                continue
            if any(self._people[other] not in there and self._exchange(group, record, other, k) for other in group.fitting):
                continue
            if far:
                self._give(record)
                if not self._augment(group, there.keys() | {person}):
                    self._take(group, record)

    def _exchange(self, group: _Group, record: int, other: int, k: int) -> bool:
        owner = self._owner.get(other)
        if owner is None:
            self._give(record)
            self._take(group, other)
            return True
        if owner.number in self.settled:
            return False
        theirs = self.members[owner.number]
        loses = theirs[self._people[other]] == 1 and self._people[record] in theirs
        if record not in owner.fits or (loses and len(theirs) <= k):
            return False
        self._give(record)
        self._give(other)
        self._take(owner, record)
        self._take(group, other)
        return True


def assigned(view: Release, found: Classes) -> np.ndarray | None:
    """A record for every line, each at most once, such that every class has k people; None where none is found.

    Lines whose record is known keep it. The others take records as in a bipartite matching.

    Args:
        view: an anonymized view.
        found: its classes.

    Returns:
        int64, the record of each line.
    """
    marks, record_marks = view.marks()
    source = found.source.copy()
    used = np.zeros(view.raw.table.size, np.bool_)
    known = source >= 0
    used[source[known]] = True
    order = np.argsort(found.of, kind="stable")
    edges = np.concatenate(([0], np.cumsum(found.size)))
    groups = []
    for number in range(len(found.size)):
        lines = order[edges[number] : edges[number + 1]]
        lines, boxes = lines[~known[lines]], found.boxes[number]
        if not len(lines) or boxes is None:
            continue
        inside = view.points.rows[view.points.within(corner(boxes))]
        inside = inside[~used[inside]]
        for mark in np.unique(marks[lines]).tolist():
            groups.append(_Group(number, lines[marks[lines] == mark], inside[record_marks[inside] == mark]))
    kept: dict[int, list[int]] = {}
    for number, record in zip(found.of[known].tolist(), source[known].tolist(), strict=True):
        kept.setdefault(number, []).append(int(view.raw.people[record]))
    first: set[int] = set()
    for _ in range(ATTEMPTS):
        for group in groups:
            group.taken.clear()
        matching = _Matching(groups, view.raw.people, kept)
        if matching.fill(first, view.segment.k) and matching.spread(view.segment.k):
            break
        first |= matching.short(view.segment.k)
    else:
        return None
    for group in groups:
        source[group.lines] = sorted(group.taken)
    return source if (source >= 0).all() else None
