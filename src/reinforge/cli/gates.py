"""Gates: `--require "membership_auc<=0.55"` makes a score a condition."""

import difflib
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reinforge.errors import GateError, InputError
from reinforge.records import Score

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_FORM = re.compile(r"^\s*(\w+)\s*(?:\[([^\]]+)\])?\s*(<=|>=|<|>)\s*([-+.\deE]+)\s*$")


@dataclass(frozen=True)
class Gate:
    """One condition on one score of one group."""

    text: str
    name: str
    group: str
    comparison: str
    limit: float


def parse_gate(text: str) -> Gate:
    """Read a condition such as `s2r_auc>=0.8` or `membership_auc[sex=F]<=0.6`.

    Raises:
        InputError: It has another form.
    """
    found = _FORM.match(text)
    try:
        if found is None:
            raise ValueError
        name, group, comparison, limit = found.groups()
        return Gate(text.strip(), name, group or "all", comparison, float(limit))
    except ValueError:
        raise InputError(
            f"--require wants score<=number (or >=, <, >), got {text!r}; "
            'e.g. --require "membership_auc<=0.55"'
        ) from None


def parse_gates(texts: Sequence[str], *, of_pictures: bool = False) -> list[Gate]:
    """Read all gates, before any work starts.

    Args:
        texts: As they were given.
        of_pictures: Whether pictures of identities are judged, and not tables.

    Raises:
        InputError: One has another form, or names a score that this evaluation does not make.
    """
    from reinforge.evaluation.catalogue import MEANINGS
    from reinforge.evaluation.picture_catalogue import PICTURE_MEANINGS

    known = PICTURE_MEANINGS if of_pictures else MEANINGS
    gates = [parse_gate(text) for text in texts]
    for gate in gates:
        if gate.name not in known:
            near = difflib.get_close_matches(gate.name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
            raise InputError(f"--require {gate.text!r}: no score {gate.name!r}; {hint}")
    return gates


def failures(gates: Sequence[Gate], scores: Sequence[Score]) -> list[str]:
    """The gates that do not hold, each with what came; a score without a value fails its gate.

    Raises:
        InputError: A gate names a score or group that does not exist.
    """
    failed = []
    for gate in gates:
        score = _score(gate, scores)
        if score.value is None:
            failed.append(f"{gate.text} (not computed: {score.reason})")
        elif not _COMPARISONS[gate.comparison](score.value, gate.limit):
            failed.append(f"{gate.text} (got {score.value:.4f})")
    return failed


def require(gates: Sequence[Gate], scores: Sequence[Score]) -> None:
    """Refuse a scorecard that a gate does not let through.

    Raises:
        GateError: At least one gate failed; all that did are named.
    """
    failed = failures(gates, scores)
    if failed:
        raise GateError(f"{len(failed)} of {len(gates)} gates failed: {'; '.join(failed)}.")


def _score(gate: Gate, scores: Sequence[Score]) -> Score:
    for score in scores:
        if (score.name, score.group) == (gate.name, gate.group):
            return score
    groups = sorted({score.group for score in scores if score.name == gate.name})
    if groups:
        raise InputError(
            f"--require {gate.text!r}: no group {gate.group!r}; there are {', '.join(groups)}."
        )
    names = ", ".join(sorted({score.name for score in scores}))
    raise InputError(f"--require {gate.text!r}: no score {gate.name!r}; there are {names}.")
