"""Leakage against usefulness: the two knobs of a generator of identities, drawn as fronts.

    python benchmarks/identity_front.py                                  drawn faces of nobody
    python benchmarks/identity_front.py --faces orl_faces.npz --prior FACE_PRIOR \
        --judge face_mobileface_v2.pt2 --second face_mobileface_v3.pt2

A generator is trained for each length of the cold start, and from there once for each weight of
the privacy reward. Its pictures and the generator itself are attacked; a recogniser that learns
from newcomers of it is tested on people whom nobody saw. Measurements go to
`results/identity_front.csv`; `identity_front.md` and its drawings are written from that file.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import measurements
from identity import pictures_of as drawn_by
from identity import trained_arm, utility
from identity_leaks import LEAKS, leakage, newcomers_leakage
from identity_world import THREE_PARTS, Policy, World, kind_of_prior
from peers.environment import HOME
from reinforge.data.drawn import draw_identities
from reinforge.generators.shipped import FOLDER as SHIPPED
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.recognition.train import train_recogniser
from reinforge.report.front import front, front_file

KNOBS = ["cold_start_steps", "privacy_weight", "n_steps"]
OF_NEWCOMERS = "newcomers: "  # before the name of a score of their pictures
SCORES = {
    "verification_accuracy": "verification accuracy ↑",
    "map": "mAP ↑",
    **{name: LEAKS[name] for name in ("identity_accuracy", "intra_identity_diversity")},
    **{name: LEAKS[name] for name in ("nearest_train_ratio", "copy_rate", "identity_leakage")},
    **{name: LEAKS[name] for name in ("membership_auc", "membership_auc_no_box")},
    OF_NEWCOMERS + "identity_leakage": "newcomers that look like somebody learnt ↓",
    OF_NEWCOMERS + "membership_auc_no_box": "no box, newcomers",
}
DRAWN_PEOPLE, DRAWN_PICTURES, DRAWN_SEED = 140, 8, 5
JUDGES = {"judge": 6, "second": 7}  # seeds of other drawn people, on whom judges are trained
CONTROLS = ("holdout", "unseen")
LEAK = "membership_auc"  # what is drawn


def arm_of(settings: Mapping[str, Any]) -> str:
    """What a training is called in the results."""
    return ", ".join(f"{knob}={settings[knob]:g}" for knob in KNOBS)


def settings_of(arm: str) -> dict[str, float]:
    """The knobs of an arm."""
    told = dict(part.split("=") for part in arm.split(", "))
    return {knob: float(told[knob]) for knob in KNOBS}


def trainings(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Each cold start alone, then reinforced with each weight."""
    plan = []
    for steps in chosen.cold_starts:
        plan.append({"cold_start_steps": steps, "privacy_weight": 0.0, "n_steps": 0})
        for weight in chosen.weights if chosen.iterations else ():
            plan.append(
                {"cold_start_steps": steps, "privacy_weight": weight, "n_steps": chosen.iterations}
            )
    return plan


def policy_of(world: World, settings: Mapping[str, Any]) -> Policy:
    """The generator of a training; kept by the world."""
    if not settings["n_steps"]:
        return world.cold(cold_start_steps=settings["cold_start_steps"])
    reward = THREE_PARTS if world.prior.likeness is None else {}
    return world.reinforced(**reward, **settings)


def measured(
    world: World, policy: Policy, judge: Encoder, second: Encoder, *, n_updates: int
) -> dict[str, float]:
    """What its pictures give away, and what a recogniser learns from newcomers of it."""
    made = drawn_by(world, policy, new=False)
    told = leakage(world, policy, made, judge, second)
    arm = "reinforced"  # any arm with pictures: it is the policy that differs
    others = drawn_by(world, policy, new=True)
    of_new = newcomers_leakage(world, others, judge, second)
    told |= {OF_NEWCOMERS + k: v for k, v in of_new.items() if k.split("[")[0] in LEAKS}
    recogniser = trained_arm(world, arm, {arm: made}, {arm: others}, n_updates=n_updates)
    return told | utility(world, arm, recogniser, made)


def drawn_faces() -> Path:
    """An NPZ of faces of nobody, as a file of real ones would be."""
    file = HOME / "cache" / "identity" / f"drawn-{DRAWN_PEOPLE}-{DRAWN_PICTURES}.npz"
    if not file.exists():
        images = draw_identities(DRAWN_PEOPLE, DRAWN_PICTURES, seed=DRAWN_SEED)
        file.parent.mkdir(parents=True, exist_ok=True)
        names = np.array(images.names)
        np.savez(file, aligned112=images.pixels, labels=images.identity, names=names)
    return file


def judge_of(path: Path | None, role: str, *, n_updates: int) -> Encoder:
    """A network from a file; or one that was trained on other drawn people, and is kept."""
    if path is not None:
        return load_encoder(path)
    folder = HOME / "cache" / "identity" / f"drawn {role} {n_updates}"
    if not folder.exists():
        people = draw_identities(4 * DRAWN_PEOPLE, DRAWN_PICTURES, seed=JUDGES[role])
        config = resolve_recogniser("small", n_steps=n_updates)
        train_recogniser(people, config=config, seed=JUDGES[role]).save(folder)
    return load_encoder(folder)


def write_page(path: Path) -> None:
    """Tables by setting, and the drawings beside the page; numbers come from the CSV alone."""
    folder = path.parents[1]
    rows = measurements.read(path)
    parts = [part for part in (NOTES.strip(), measurements.circumstances(path)) if part]
    for (dataset, setting), part in rows.groupby(["dataset", "setting"]):
        wide = part.pivot_table(index=["arm", "seed"], columns="score", values="value")
        parts += [f"## {dataset}, {setting}", table(wide)]
        parts += ["Differences of the same people, bold where the interval leaves out 0:"]
        parts += [differences(wide)]
        for name, heading in (("cold_start", "length"), ("weight", "weight")):
            drawn = drawing(wide, of_weights=name == "weight")
            if drawn is not None:
                words = f"{dataset} {setting}".replace(",", "").replace(" ", "-")
                file = folder / f"identity_front_{words}_{name}.svg"
                file.write_text(drawn, encoding="utf-8")
                parts.append(f"![Leakage against usefulness, by {heading}]({file.name})")
    (folder / "identity_front.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def table(wide: pd.DataFrame) -> str:
    """A training a row, and what real pictures that nobody trained on would show."""
    rows = []
    for arm in arms_of(wide):
        cells = [_cell(wide.loc[arm], score) for score in SCORES]
        rows.append([*in_words(arm), str(len(wide.loc[arm])), *cells])
    for control in CONTROLS:
        cells = [_cell(wide, f"{score}[{control}]") for score in SCORES]
        rows.append([f"control: {control}", "", "", *cells])
    header = ["steps of cold start", "privacy weight", "seeds", *SCORES.values()]
    return measurements.markdown_table(header, rows)


def arms_of(wide: pd.DataFrame) -> list[str]:
    """The trainings by length of the cold start, each alone first, then by weight."""
    known = set(wide.index.get_level_values("arm"))
    return sorted(known, key=lambda arm: _place(settings_of(arm)))


def _place(knobs: Mapping[str, float]) -> tuple[float, ...]:
    return knobs["cold_start_steps"], knobs["n_steps"], knobs["privacy_weight"]


def in_words(arm: str) -> tuple[str, str]:
    """Length of the cold start, and weight of the privacy reward."""
    knobs = settings_of(arm)
    weight = f"{knobs['privacy_weight']:g}" if knobs["n_steps"] else "not reinforced"
    return f"{knobs['cold_start_steps']:g}", weight


def named(arm: str) -> str:
    """A training in few words."""
    steps, weight = in_words(arm)
    return f"{steps} steps" + (f", weight {weight}" if settings_of(arm)["n_steps"] else "")


def differences(wide: pd.DataFrame) -> str:
    """Each cold start beside the longest; each reinforcement beside that of the weight before."""
    rows, arms = [], arms_of(wide)
    longest = [arm for arm in arms if not settings_of(arm)["n_steps"]][-1]
    for before, arm in zip([longest, *arms], arms, strict=False):
        base = before if settings_of(arm)["n_steps"] else longest
        apart = (wide.loc[arm] - wide.loc[base]).dropna(how="all")
        if arm != base and len(apart):
            cells = [measurements.signed(apart[s].tolist()) if s in apart else "–" for s in SCORES]
            rows.append([f"{named(arm)} - {named(base)} ({len(apart)})", *cells])
    return measurements.markdown_table(["difference (seeds)", *SCORES.values()], rows)


def _cell(part: pd.DataFrame, score: str) -> str:
    return measurements.cell(part[score].tolist()) if score in part else measurements.NOTHING


def drawing(wide: pd.DataFrame, *, of_weights: bool) -> str | None:
    """Membership AUC of the generator against accuracy, with intervals over seeds."""
    arms = [arm for arm in arms_of(wide) if bool(settings_of(arm)["n_steps"]) == of_weights]
    accuracy, attack = (same_seeds(wide, arms, s) for s in ("verification_accuracy", LEAK))
    points = [
        settings_of(arm)
        | _ends("accuracy", accuracy.loc[arm].tolist())
        | _ends("leakage", attack.loc[arm].tolist())
        for arm in accuracy.index
    ]
    view = front(
        points,
        leakage="membership AUC of whoever holds the generator",
        accuracy="verification accuracy on unseen people",
    )
    return None if view is None else front_file(view)


def same_seeds(wide: pd.DataFrame, arms: Sequence[str], score: str) -> pd.DataFrame:
    """A score of the arms with most seeds, without what all of them owe to a seed's people."""
    part = wide[score].unstack("seed").reindex(arms)
    n_seeds = part.notna().sum(axis=1)
    part = part[n_seeds == n_seeds.max()].dropna(axis=1)
    return part - part.mean(axis=0) + part.to_numpy().mean() if len(part) else part


def _ends(name: str, values: Sequence[float]) -> dict[str, float | None]:
    mean, half = measurements.interval(list(values))
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


NOTES = """
# Identity: leakage against usefulness

The reward has no critic here (`realism_weight` 0). Two knobs: the length of the cold start, and the
weight of the privacy reward in the reinforcement after it. Pictures of the learnt people are judged
by networks that gave no reward; membership AUC is that of whoever holds the generator and asks it
once about a picture (white box; .5 is nothing), "no box" that of whoever holds the pictures alone.
Verification is of people whom nobody saw, by a recogniser that learnt from the few real pictures
and from newcomers of the generator (arm `cold_start` of identity.md); "newcomers that look like
somebody learnt" is the share of their pictures that match a training picture where 1 in 1,000 pairs
of two real people do. Controls are real pictures: held-out ones of the same people, and unseen
people. Means with 95 % intervals over seeds (Student's t); whiskers leave out what all trainings
owe to a seed's people. Scores: docs/metrics.md.

What is seen (ORL, people unknown to the prior). The length of the cold start decides how much is
remembered: whoever holds the generator gains from 200 to 850 steps, and so does the likeness of
newcomers to those they were mixed from. The use of newcomers does not: verification accuracy after
200 steps is that of 850, and mAP a little higher in every seed, although a judge recognises a third
of the pictures of the learnt people then, and nine in ten after 850. So whoever wants newcomers
alone stops early; how early is too early is not measured.
Nothing is copied at any length. The privacy reward at weight 1 changes no score (one seed): to the
recogniser that rewards, pictures are a fifth less too near (-.044 for -.055, not in the table); to
the judge they are as near as before.
"""


def main() -> None:
    """Measure what is missing, then write the page and its drawings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, help="NPZ of real faces; drawn ones if not given")
    parser.add_argument("--prior", type=Path, default=SHIPPED, help="that knows none of them")
    parser.add_argument("--judge", type=Path, help="exported face network (.pt2)")
    parser.add_argument("--second", type=Path, help="another one")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--per-identity", type=int, default=3)
    parser.add_argument("--cold-starts", type=int, nargs="+", default=[200, 400, 850])
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.5, 1.0, 2.0])
    parser.add_argument("--iterations", type=int, default=40, help="0: cold starts alone")
    parser.add_argument("--updates", type=int, default=1000, help="of each recogniser")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--results", type=Path, default=measurements.csv_of("identity_front"))
    parser.add_argument("--write-only", action="store_true", help="only write the page again")
    chosen = parser.parse_args()
    for seed in () if chosen.write_only else chosen.seeds:
        run(chosen, seed)
    write_page(chosen.results)


def run(chosen: argparse.Namespace, seed: int) -> None:
    """The trainings of one world that are not measured yet."""
    dataset = "drawn" if chosen.faces is None else chosen.faces.stem.split("_")[0]
    setting = f"{chosen.people} people, {chosen.per_identity} pictures each"
    setting += kind_of_prior(chosen.prior)
    known = measurements.done(chosen.results)
    missing = [s for s in trainings(chosen) if (dataset, setting, arm_of(s), seed) not in known]
    if not missing:
        return
    faces = chosen.faces or drawn_faces()
    sizes = {"per_identity": chosen.per_identity, "n_people": chosen.people}
    world = World(faces, chosen.prior, **sizes, seed=seed)
    judges = {
        role: judge_of(getattr(chosen, role), role, n_updates=chosen.updates) for role in JUDGES
    }
    for settings in missing:
        policy = policy_of(world, settings)
        told = measured(world, policy, *judges.values(), n_updates=chosen.updates)
        rows = [(dataset, setting, arm_of(settings), seed, *pair) for pair in told.items()]
        named = [dict(zip(measurements.FIELDS, row, strict=True)) for row in rows]
        measurements.append(chosen.results, named)
        measurements.note_circumstances(chosen.results)
        print(f"{setting}, seed {seed}, {arm_of(settings)}: done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
