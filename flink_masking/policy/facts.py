"""The facts about a field and the context of a rule that techniques receive."""

from collections.abc import Callable, Mapping

from flink_masking.documents.document import cut
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.model import Policy
from flink_masking.policy.source import PolicySource
from flink_masking.policy.tree import FieldTree
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.vault.base import Vault


class Facts:
    """The declared fields as techniques see them.

    Attributes:
        hierarchies: by file name, as written in the policy.
    """

    def __init__(self, policy: Policy, tree: FieldTree, hierarchies: Mapping[str, Hierarchy], named: Callable[[str], str] = str) -> None:
        """Keep what the facts are looked up in; `named` gives the path that techniques know a path by."""
        self._policy, self._tree, self.hierarchies, self._named = policy, tree, hierarchies, named

    def of(self, path: str) -> FieldFacts:
        """The facts of a declared path, in any spelling; of a parent, only its path.

        Raises:
            PolicyError: neither a declared path nor a parent of one.
        """
        found = self._tree.find(path)
        if found is None:
            raise PolicyError(f"'{cut(path)}' is not a declared field. Hint: declare it under 'fields'")
        field = self._policy.fields.get(found)
        if field is None:
            return FieldFacts(self._named(found))
        hierarchy = self.hierarchies.get(field.hierarchy) if field.hierarchy is not None else None
        return FieldFacts(self._named(found), field.type, field.domain, hierarchy, field.scale, field.bounds, field.unit)

    def rule_context(self, path: str, keys: KeyRing, source: PolicySource, vault: Vault | None = None) -> RuleContext:
        """Where a rule for `path` stands; with the vault that tokens are kept in, or None as when a policy is checked.

        Raises:
            PolicyError: as `of`.
        """
        erasure = self._policy.erasure.later if self._policy.erasure is not None else None
        return RuleContext(self.of(path), keys, source.file, self._policy.subject is not None, vault, self._policy.stream, erasure,
                           self._policy.token_days)


def part_context(part: str, stream: str, keys: KeyRing, source: PolicySource, vault: Vault | None = None,
                 keep: int | None = None) -> RuleContext:
    """The context of a rule for key or headers: undeclared text, masked without the subject of the record.

    Args:
        part: ``record.key`` or ``record.headers.NAME``.
        stream: the policy's.
        keys: the key ring.
        source: the policy's.
        vault: where tokens are kept, or None.
        keep: days for which tokens are kept, or None.
    """
    return RuleContext(FieldFacts(part), keys, source.file, False, vault, stream, keep=keep)
