"""Aliases that repair names: a policy lists them, and no correcting entry replaces them."""

from collections.abc import Mapping
from dataclasses import replace

from recon_core.model.explanation import Explanation
from recon_core.policy.aliases import Aliases


def with_whole_aliases(known: Aliases, explanation: Explanation) -> Explanation:
    """Return the explanation with the policy's aliases added, for the sides that it renames on.

    Aliases are applied at once. If the policy renames to a name that is wrong itself, the alias
    is given the right name.
    """
    whole = {side: _joined(known.of(side), names) for side, names in explanation.aliases.items()}
    return replace(explanation, aliases=whole)


def _joined(known: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    return {**{own: found.get(other, other) for own, other in known.items()}, **found}
