"""Key domains of a proposal: paths that hold the same identifiers share one, so that joins hold in the view."""

from collections.abc import Container, Iterable, Mapping

from flink_masking.scan.forms import within
from flink_masking.scan.names import domain_of
from flink_masking.scan.report import PathReport


def domains(paths: Iterable[PathReport], of_type: Mapping[str, str], mixed: Container[str]) -> dict[str, str]:
    """For each path whose values are those of another path, or a part of it, the name of their common key domain.

    Args:
        paths: of a report.
        of_type: by path the domain of the type that its values are, where that type gets pseudonyms.
        mixed: paths whose values are of several types, which join with none.
    """
    listed = list(paths)
    above: dict[str, str] = {}

    def root(path: str) -> str:
        while above.get(path, path) != path:
            path = above[path]
        return path

    named: dict[str, None] = {}
    for path in listed:
        related = [one for one in path.equals if one.close]
        if path.contains and within(path) is not None:
            best = max(path.contains, key=lambda one: (one.common / one.of, one.common / max(1, one.of_other)))
            related += [best] if 2 * best.common >= best.of else []
        for one in related:
            if path.path in mixed or one.path in mixed or len({*filter(None, (of_type.get(path.path), of_type.get(one.path)))}) > 1:
                continue
            above[root(path.path)] = root(one.path)
            named |= dict.fromkeys((path.path, one.path))
    names: dict[str, str] = {}
    for name in named:  # a type's own domain goes before that of a path, so that other fields and texts join, too
        if name in of_type:
            names.setdefault(root(name), of_type[name])
    for name in sorted(named, key=lambda path: (len(domain_of(path)), domain_of(path))):
        names.setdefault(root(name), domain_of(name))
    return {path: names[root(path)] for path in named}
