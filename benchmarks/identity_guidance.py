"""Right names against variety: newcomers before and after reinforcement, at several guidances.

Guidance makes pictures truer to whom they are of and more alike, and so does reinforcement. At one
guidance the two generators differ in both; their curves over guidance say what is owed to which.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

import measurements
from identity_leaks import OF_NEW, generator_of
from identity_world import Policy, World
from reinforge.records import ImageSet
from reinforge.systems.identity.newcomers import LIKENESS_GUIDANCE, newcomers
from reinforge.systems.identity.sampling import drawn_set

BEFORE, AFTER = "cold_start", "reinforced"
GUIDANCES = (1.0, 1.5, LIKENESS_GUIDANCE, 3.0)
FOUND, SPREAD = "newcomer_found", "newcomer_spread"


def name_of(policy: str, guidance: float) -> str:
    """What the newcomers of a generator are called at a guidance."""
    at_default = guidance == LIKENESS_GUIDANCE  # these are judged for their leakage as well
    return OF_NEW + policy + ("" if at_default else f", guidance {guidance:g}")


GUIDED = {  # by which policy, and how drawn
    name_of(policy, guidance): (policy, guidance)
    for policy in (BEFORE, AFTER)
    for guidance in GUIDANCES
    if guidance != LIKENESS_GUIDANCE
}


def guided(
    world: World, policy: Policy, guidance: float, *, n: int, per: int, seed: int
) -> ImageSet:
    """Newcomers of a generator, drawn at this guidance."""
    drawn_by = newcomers(generator_of(world, policy), n, seed=seed)
    chain = replace(drawn_by.config.chain, guidance=guidance)
    return drawn_set(drawn_by.policy("cpu"), chain, drawn_by.names, per, seed=seed)


def guidance_tables(wide: pd.DataFrame) -> str:
    """Both curves, and how far that of the reinforced generator lies beyond the other."""
    rows = []
    for guidance in GUIDANCES:
        cells = [f"{guidance:g}"]
        for policy in (BEFORE, AFTER):
            name = name_of(policy, guidance)
            part = wide.loc[name] if name in wide.index else pd.DataFrame()
            for score in (FOUND, SPREAD):
                held = part[score].dropna().tolist() if score in part else []
                cells.append(measurements.cell(held))
        more = beyond(wide, guidance)
        n = len(more)
        rows.append([*cells, *(_told(more, of) for of in (FOUND, SPREAD)), str(n)])
    header = [
        "guidance",
        *(f"{policy}: {what}" for policy in (BEFORE, AFTER) for what in ("found", "spread")),
        "found more at the same spread",
        "spread more at the same share found",
        "seeds",
    ]
    return measurements.markdown_table(header, rows)


def _told(more: pd.DataFrame, score: str) -> str:
    held = more[score].dropna().tolist()
    few = f" ({len(held)})" if 0 < len(held) < len(more) else ""
    return measurements.signed(held) + few


def beyond(wide: pd.DataFrame, guidance: float) -> pd.DataFrame:
    """By seed: how far the reinforced generator lies beyond the curve of the other.

    The curve runs straight between neighbouring guidances; nothing is said beyond its ends.

    Args:
        wide: Scores by arm and seed.
        guidance: Of the reinforced generator.

    Returns:
        Columns `FOUND` (share found more at the same spread) and `SPREAD` (the other way round).
    """
    name = name_of(AFTER, guidance)
    told = []
    for seed in wide.loc[name].index if name in wide.index else ():
        points = [(name_of(BEFORE, g), seed) for g in GUIDANCES]
        curve = wide.loc[[key for key in points if key in wide.index], [FOUND, SPREAD]].dropna()
        found, spread = wide.loc[(name, seed), [FOUND, SPREAD]]
        told.append(
            {
                FOUND: found - _on(curve[SPREAD], curve[FOUND], spread),
                SPREAD: spread - _on(curve[FOUND], curve[SPREAD], found),
            }
        )
    return pd.DataFrame(told, columns=[FOUND, SPREAD])


def _on(known: Sequence[float], asked: Sequence[float], at: float) -> float:
    """The value of a curve where its other coordinate is this; nan beyond its ends."""
    known, asked = np.asarray(known, float), np.asarray(asked, float)
    if len(known) < 2:
        return np.nan
    order = np.argsort(known)
    return float(np.interp(at, known[order], asked[order], left=np.nan, right=np.nan))
