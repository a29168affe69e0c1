"""Who decides, what is written down, and when things end: what policy and deployment declare of control, audit, grants and retention."""

from typing import Any

from flink_masking.compliance.subject import limits
from flink_masking.control.options import ControlOptions
from flink_masking.control.trust import Trust
from flink_masking.deployment.model import Deployment
from flink_masking.policy.durations import written
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import GrantedView


def governance(loaded: LoadedPolicy, deployment: Deployment | None) -> dict[str, Any]:
    """What is declared, by subject.

    Args:
        loaded: the policy.
        deployment: of its job; None: not told.

    Returns:
        ``rows`` with ``about``, ``declared`` (empty: nothing) and ``effect``; ``deployment``, whether one was told. Addresses are told by
        their kind only.
    """
    rows = [*_policy(loaded), *([] if deployment is None else _deployment(deployment))]
    return {"rows": [{"about": about, "declared": declared, "effect": effect} for about, declared, effect in rows],
            "deployment": deployment is not None}


def _policy(loaded: LoadedPolicy) -> list[tuple[str, str, str]]:
    policy, reverse = loaded.policy, loaded.policy.reverse
    rows = [
        ("audit", "" if policy.audit is None else f"sink {policy.audit.sink}{', digests' if policy.audit.digests else ''}",
         "no audit events" if policy.audit is None else "an event for each batch" + (
             ", and the root of a tree over all released records, by which one can be traced" if policy.audit.digests else "")),
        ("erasure", "" if policy.erasure is None else f"later: {policy.erasure.later}",
         "erased subjects are not recognised when they come again" if policy.erasure is None else
         "records of an erased subject are in no view" if policy.erasure.later == "drop" else "an erased subject begins anew"),
        ("keys of subjects", _per_subject(loaded), "values of one person are made unreadable by destroying the person's key"
         if _per_subject(loaded) else "no rule encrypts per subject"),
        ("retention of refused records", "" if policy.quarantine is None else written(policy.quarantine.keep),
         "they can be opened as long as the key ring opens them" if policy.quarantine is None else
         "then the key of their day is destroyed"),
        ("retention of tokens", "" if policy.vault is None else written(policy.vault.keep),
         "tokens are kept until erased" if policy.vault is None else "tokens not used for as long are destroyed with their values"),
        ("back to clear values", "" if reverse is None else "a grant" if reverse.requires_grant else "no grant",
         "whoever holds the key ring" if reverse is None or not reverse.requires_grant else
         f"unmask, rekey and quarantined records ask for a grant with {reverse.approvals} of the approvers"),
    ]
    rows += [(f"exceptions in {name}", limits(segment), f"without a grant nothing; with one, as {segment.of}, and at most of "
              f"{', '.join(segment.may_show)}") for name, segment in policy.segments.items() if isinstance(segment, GrantedView)]
    return rows


def _per_subject(loaded: LoadedPolicy) -> str:
    found = dict.fromkeys(path for name in loaded.policy.segments if loaded.policy.segments[name].view in ("masked", "granted")
                          for path, rule in loaded.rules(name).items() if rule.promises.needs_subject)
    return ", ".join(found)


def _deployment(deployment: Deployment) -> list[tuple[str, str, str]]:
    options, audit, leaks = deployment.control_options, deployment.audit, deployment.leaks
    rows = [
        ("control documents", "" if options is None else _control(options),
         "policies, grants and erasures from outside are not taken" if options is None else
         f"looked for every {written(options.refresh)}; grants are suspended after {written(options.max_staleness)} without an answer; "
         + ("what was in force is kept across restarts" if options.state else "a restarted worker carries out no grant of before")),
        *([] if options is None else _roles(options)),
        ("log of audit events", "" if audit is None else f"{_kind(audit.log)}, every {written(audit.seal_every)}",
         "events are not sealed" if audit is None else "signed checkpoints of a transparency log; leaf hashes are kept "
         + ("for ever" if audit.keep is None else f"for {written(audit.keep)}")),
        ("leaks", "" if leaks is None else f"fingerprints of {leaks.sample:.3g} of the records, kept for {written(leaks.keep)}",
         "no fingerprints are kept" if leaks is None else "protected values are found again elsewhere by keyed fingerprints"),
        ("keys", f"{_kind(deployment.keys)}, looked at every {written(deployment.key_refresh)}",
         "versions that are promoted, disabled or destroyed take effect in the running job"),
        ("transport", "TLS required" if deployment.transport.require_tls else "",
         f"{len(deployment.in_clear)} connections in clear" if deployment.in_clear else "no connection to other machines in clear"),
    ]
    return rows


def _control(options: ControlOptions) -> str:
    return "a Kafka topic" if options.topic else _kind(options.source)


def _roles(options: ControlOptions) -> list[tuple[str, str, str]]:
    trust = Trust.anchor(options.trust.encode())
    return [(f"role {name}", f"{role.threshold} of {len(role.keys)} keys", "must sign what this role decides")
            for name, role in trust.body.roles.items()]


def _kind(address: str) -> str:
    """The kind of an address, without host or path."""
    return f"{address.partition('://')[0]}://…" if "://" in address else "a directory"
