"""Names of one side that a policy mends: no booking does."""

from collections.abc import Mapping
from dataclasses import replace

from recon_core.explanation import Explanation
from recon_core.policy.aliases import Aliases


def with_whole_aliases(known: Aliases, explanation: Explanation) -> Explanation:
    """The explanation with the aliases that the policy has already, for the sides it concerns.

    They are applied at once: what the policy renames to a name that is wrong itself is to
    get the right one.
    """
    whole = {side: _joined(known.of(side), names) for side, names in explanation.aliases.items()}
    return replace(explanation, aliases=whole)


def _joined(known: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    return {**{own: found.get(other, other) for own, other in known.items()}, **found}
