"""The JSON Schemas of explanations, as `Explanation.to_dict` writes them."""

from typing import Any, Final

from recon_core.model import LedgerSide
from recon_core.model.explanation import CauseKind, ExplanationVerdict

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_SIDES: Final = [str(side) for side in LedgerSide]
_AMOUNTS: Final[Schema] = {
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
}
_NAMES: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}


def _closed(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_OF_ALL: Final[dict[str, Schema]] = {
    "verdict": {"enum": [str(verdict) for verdict in ExplanationVerdict]},
    "side": {"enum": [*_SIDES, None]},
    "causes": {"type": "array", "items": {"$ref": "#/$defs/Cause"}},
    "text": _TEXT,
}

CONCLUSION: Final[Schema] = _closed(**_OF_ALL)
"""Schema of the part of an explanation that an entry of an audit log keeps."""

EXPLANATION_DEFINITIONS: Final[dict[str, Schema]] = {
    "Effect": _closed(position=_AMOUNTS, cash=_AMOUNTS),
    "Cause": _closed(
        kind={"enum": [str(kind) for kind in CauseKind]},
        side={"enum": [*_SIDES, None]},
        ids=_TEXTS,
        effect={"$ref": "#/$defs/Effect"},
        text=_TEXT,
    ),
    "Booking": _closed(
        action=_TEXT,
        side={"enum": _SIDES},
        row=_NAMES,
    ),
    "Explanation": _closed(
        **_OF_ALL,
        residual={"$ref": "#/$defs/Effect"},
        explains=_TEXTS,
        proof=_TEXT,
        decides=_TEXT,
        alternatives={"type": "integer", "minimum": 0},
        repair={"type": "array", "items": {"$ref": "#/$defs/Booking"}},
        aliases={
            "type": "object",
            "properties": dict.fromkeys(_SIDES, _NAMES),
            "additionalProperties": False,
        },
        known=_TEXTS,
    ),
}
