"""Changes of the policy between the runs of a session (design, "Audit").

A loosened tolerance leaves a trace: every summary names the effective policy and its
SHA-256, and the differences from the session's previous run in the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from recon_core.audit.fields import Entry


class _Evidence(NamedTuple):
    run_id: str
    digest: str
    policy: object


@dataclass(slots=True)
class PolicyHistory:
    """The policy of each session's last run so far."""

    _last: dict[object, _Evidence] = field(default_factory=dict)

    def follow(self, entry: Entry) -> dict[str, Any] | None:
        """Take the next summary; what changed since the run before it, `None` if nothing.

        `{"since_run": …, "changes": {"cash.absolute.EUR": ["1", "5"]}}`; a value that is
        not there is `None`. Without both policies the changes are empty: only the hashes
        are known to differ.
        """
        details = entry["details"]
        evidence, session = details.get("evidence"), details.get("session_id")
        digest = evidence.get("policy_sha256") if isinstance(evidence, dict) else None
        if not isinstance(digest, str) or not isinstance(session, str | None):
            return None
        now = _Evidence(str(details.get("run_id")), digest, evidence.get("policy"))
        before = self._last.get(session)
        self._last[session] = now
        if before is None or before.digest == digest:
            return None
        return {"since_run": before.run_id, "changes": _changes(before.policy, now.policy)}


def _changes(before: object, now: object) -> dict[str, list[object]]:
    old, new = dict(_leaves(before)), dict(_leaves(now))
    names = sorted({*old, *new})
    return {
        name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)
    }


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every value of nested tables under the path of its keys, joined by points."""
    if not isinstance(value, dict):
        if name:
            yield name, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{name}.{key}" if name else str(key))
