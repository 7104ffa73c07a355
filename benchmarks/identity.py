"""What synthetic identities are good for: five arms of recognisers, and what the pictures leak.

    python benchmarks/identity.py --faces orl_faces.npz --prior FACE_PRIOR \
        --judge face_mobileface_v2.pt2 --second face_mobileface_v3.pt2 --per-identity 3 5

A world takes some people at random; generator and recognisers see a few pictures of each. Every arm
trains the same small recogniser from the same first weights with as many updates, and is tested on
all people whom nobody saw. Judge and second embedding gave no reward. Measurements go to
`results/identity.csv`; `identity.md` is written from that file.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

import measurements
from face_prior import UPDATES
from identity_leaks import (
    APART,
    LEAKS,
    OF_LEARNT,
    OF_NEW,
    PICTURES,
    PRIOR,
    generator_of,
    leakage,
    leaks_table,
    name_of_policy,
    newcomers_leakage,
    renamed,
    themselves,
)
from identity_strangers import real_strangers
from identity_world import (
    BY_LIKENESS,
    LFW,
    POLICIES,
    WITHOUT,
    Policy,
    World,
    kind_of_prior,
)
from reinforge.evaluation.picture_judged import judged_pictures
from reinforge.evaluation.picture_levels import picture_level
from reinforge.evaluation.picture_utility import utility_scores
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.recogniser import Recogniser
from reinforge.records import ImageSet, PictureSplit
from reinforge.systems.identity.arms import UNCHOSEN, train_arms
from reinforge.systems.identity.newcomers import Parents, newcomers
from reinforge.systems.identity.sampling import drawn_set
from reinforge.systems.identity.teacher import encoder_of

PAGE = Path(__file__).parent / "identity.md"
COLD_START_STEPS = 200  # newcomers of a longer one are no better, and leak more
N_STEPS = 40  # iterations of reinforcement, as in identity_reward.py
N_UPDATES = 1000  # of each recogniser
LONGER = " updates of a recogniser"  # behind the name of a setting with another number
OF_REWARD = " iterations of reinforcement"  # also
N_DRAWS = 10  # pictures of each person
N_NEW, PER_NEW = 200, 5  # newcomers, and pictures of each
DRAW_SEED = 11


@dataclass(frozen=True)
class Arm:
    """How the recogniser of an arm is trained."""

    kind: str  # one of `train_arms`
    drawn_by: str | None = None  # one of `POLICIES`; None: the arm sees no generated picture
    has_newcomers: bool = True
    parents: Parents = "auto"
    apart: bool = False  # newcomers who look least alike, where the prior draws by likeness
    described: bool = True  # newcomers go by what described them, where the prior was told it
    photographs: bool = False  # of real people, in place of newcomers
    from_encoder: bool = False  # begins with the weights of the prior's encoder
    mixing: MixingConfig = field(default_factory=MixingConfig)


BY_CHANCE = MixingConfig.model_validate(UNCHOSEN)
LOWEST = MixingConfig(selection="lowest_loss")
LOOKAHEAD = MixingConfig(selection="lookahead", look_at="head")
ARMS = {
    "real": Arm("real"),
    "random_erasing": Arm("random_erasing"),
    "cold_start": Arm("cold_start", "cold_start"),
    "reinforced": Arm("reinforced", "reinforced"),
    "selected": Arm("selected", "reinforced", apart=True, mixing=LOWEST),
    "selected, lookahead": Arm("selected", "reinforced", mixing=LOOKAHEAD),
}
UNMADE = ("real", "random_erasing")  # see no generated picture
ENCODER = "control: the prior's encoder"  # what the prior knew of people beforehand
MADE = [name for name in ARMS if name not in UNMADE]
AS_LEFT = ", newcomers as the cold start leaves them"  # behind the name of an earlier setting
LEARNT, BOTH = ", learnt people", ", both"  # behind the name of an arm
OF_PRIOR = {name + PRIOR: replace(ARMS[name], parents="prior") for name in MADE}
ABLATIONS = {
    **{name + LEARNT: replace(ARMS[name], has_newcomers=False) for name in MADE},
    **{
        name + BOTH: replace(ARMS[name], mixing=ARMS[name].mixing.model_copy(update={"of": "both"}))
        for name in MADE
    },
}
CHOICES = {  # what of `selected` earns it, where the prior draws by likeness
    "selected, of cold_start": replace(ARMS["selected"], drawn_by="cold_start"),
    "selected, by loss alone": Arm("selected", "reinforced", mixing=LOWEST),
}
ALONE = ", names alone"  # behind the name of an arm: whatever described them is left aside
TUNED = ", from the prior's encoder"  # behind the name of an arm
FROM_ENCODER = {
    name + TUNED: replace(ARMS[name], from_encoder=True)
    for name in ("real", "cold_start", "reinforced")
}
REWARD_ARMS = {name: Arm("reinforced", name) for name in WITHOUT}
STRANGERS = "control: real strangers"  # what pictures of other people can bring at most
PHOTOGRAPHS = {
    STRANGERS: replace(ARMS["cold_start"], photographs=True),
    STRANGERS + ALONE: replace(ARMS["cold_start"], photographs=True, described=False),
}
TUNED_RATE = 1e-4  # 5e-4 lost more of what the encoder knew in a trial on LFW
NAMES_ALONE = {
    name + ALONE: replace(arm, described=False)
    for name, arm in {**ARMS, **REWARD_ARMS, **CHOICES}.items()
    if name not in UNMADE
}
EVERY = {
    **{**ARMS, **OF_PRIOR, **ABLATIONS, **FROM_ENCODER},
    **{**REWARD_ARMS, **CHOICES, **NAMES_ALONE, **PHOTOGRAPHS},
}
SCORES = {
    "verification_accuracy": "verification accuracy ↑",
    "map": "mAP ↑",
    "rank1": "rank 1 ↑",
    "tar_at_1pct_far": "TAR at 1 % FAR ↑",
}


def pictures_of(
    world: World,
    policy: Policy,
    *,
    new: bool,
    parents: Parents = "auto",
    apart: bool = False,
) -> ImageSet:
    """Pictures of the learnt people, or of newcomers with what described them, by one policy."""
    drawn_by = generator_of(world, policy)

    def draw() -> ImageSet:
        chain = drawn_by.config.chain
        return drawn_set(drawn_by.policy("cpu"), chain, drawn_by.names, per, seed=DRAW_SEED)

    n, per = (N_NEW, PER_NEW) if new else (len(world.train.names), N_DRAWS)
    if new:
        drawn_by = newcomers(drawn_by, n, seed=DRAW_SEED, parents=parents, apart=apart)
    of = PRIOR if parents == "prior" else ""  # of two kinds where it does not go without saying
    of += APART if apart else ""
    kept = policy.kept(f"{'newcomers' if new else 'learnt'}{of} {n} {per} {DRAW_SEED}", draw)
    told = drawn_by.described
    return kept if told is None else replace(kept, described=told.numpy())


def policies_of(
    world: World, n_cold: int, arms: Sequence[str], n_steps: int = N_STEPS
) -> dict[str, Policy]:
    """The generators that these arms ask for, after so many steps of cold start and of reward."""
    judged = {name_of_policy(arm) for arm in arms if arm in PICTURES}
    wanted = judged | {EVERY[arm].drawn_by for arm in arms if arm in EVERY}
    cold: dict[str, Any] = {"cold_start_steps": n_cold}
    policies = {"cold_start": world.cold(**cold)}  # always: others begin with it
    for name, settings in POLICIES.items():
        if name in wanted and settings is not None:
            policies[name] = world.reinforced(**cold, **settings, n_steps=n_steps)
    return policies


def given_to(
    world: World, name: str, policies: Mapping[str, Policy], *, strangers: Path | None
) -> tuple[dict[str, ImageSet], dict[str, ImageSet]]:
    """The pictures that an arm is given: generated ones of learnt people, and of newcomers."""
    arm = EVERY[name]
    if arm.drawn_by is None:
        return {}, {}
    policy = policies[arm.drawn_by]
    made = pictures_of(world, policy, new=False)
    if arm.photographs:
        assert strangers is not None  # asked for before work starts
        others = real_strangers(strangers, world.prior, n=N_NEW, per=PER_NEW, seed=DRAW_SEED)
    else:
        kind: dict[str, Any] = {"parents": arm.parents, "apart": is_chosen(world, arm)}
        others = pictures_of(world, policy, new=True, **kind)
    return {arm.kind: made}, {
        arm.kind: others if arm.described else replace(others, described=None)
    }


def is_chosen(world: World, arm: Arm) -> bool:
    """Whether newcomers are chosen before the training, as `run identity` does."""
    return arm.apart and arm.has_newcomers and world.prior.likeness is not None


def trained_arm(
    world: World,
    name: str,
    made: Mapping[str, ImageSet],
    others: Mapping[str, ImageSet],
    *,
    n_updates: int,
) -> Encoder:
    """The recogniser of an arm."""
    arm = EVERY[name]
    config = resolve_recogniser("small", n_steps=n_updates)
    if arm.from_encoder:
        begun = Recogniser.load(world.prior.encoder).config
        own = {"weights": str(world.prior.encoder), "width": begun.width}
        config = config.model_copy(update={**own, "learning_rate": TUNED_RATE})
    return train_arms(
        world.train,
        made,
        config=config,
        mixing=BY_CHANCE if is_chosen(world, arm) else arm.mixing,
        seed=world.seed,
        arms=[arm.kind],
        newcomers=others if arm.has_newcomers else None,
    )[arm.kind]


def utility(world: World, name: str, recogniser: Encoder, made: ImageSet) -> dict[str, float]:
    """Scores of an arm on the unseen people."""
    assert world.unseen is not None
    parts = PictureSplit(train=world.train, unseen=renamed(world.unseen))
    pictures = judged_pictures(parts, made, level=picture_level("quick"), seed=0)
    scores, _ = utility_scores(pictures, {name: recogniser})
    return {s.name: s.value for s in scores if s.group == "all" and s.value is not None}


def page(path: Path) -> str:
    """Arms on unseen people, paired differences, and what the pictures leak."""
    parts = [part for part in (NOTES.strip(), measurements.circumstances(path)) if part]
    by_setting = wide_by_setting(path)
    earlier = wide_by_setting(path.with_name(f"{path.stem}_earlier.csv"))
    for (dataset, setting), wide in by_setting.items():
        arms = [arm for arm in ARMS if arm in wide.index]
        if not set(arms) & set(MADE):
            continue  # those without pictures alone: there is nothing to compare yet
        controls = [ENCODER] if ENCODER in wide.index else []
        parts += [f"## {dataset.upper()}, {setting}", arms_table(wide, [*arms, *controls])]
        parts += ["Differences of the same people, bold where the interval leaves out 0:"]
        parts += [differences(wide, [(a, b) for a in arms for b in arms if is_asked(a, b)])]
        plain = setting.removesuffix(BY_LIKENESS)
        by_classes = by_setting.get((dataset, plain))
        if plain != setting and by_classes is not None:
            known = (wide.index, by_classes.index)
            unrewarded = ("cold_start", OF_NEW + "cold_start", OF_LEARNT + "cold_start")
            both = [arm for arm in unrewarded if all(arm in index for index in known)]
            if both:
                parts += ["Beside the prior by classes, the same people:"]
                parts += [beside(wide, by_classes, both)]
        as_left = earlier.get((dataset, setting + AS_LEFT))
        if as_left is not None:
            drawn = [*MADE, *(arm for arm in PICTURES if arm.startswith(OF_NEW))]
            both = [arm for arm in drawn if arm in wide.index and arm in as_left.index]
            parts += ["Beside newcomers as the cold start leaves them, the same people:"]
            parts += [beside(wide, as_left, both)]
        for title, (some, pairs) in SECTIONS.items():
            others = [arm for arm in some if arm in wide.index]
            if others:
                shown = [*(controls if some is FROM_ENCODER else ()), *others]
                parts += [f"### {title}", arms_table(wide, shown)]
                parts += [differences(wide, pairs(others))]
        if any(arm in wide.index for arm in PICTURES):
            parts += ["### What the pictures are like and what they leak", leaks_table(wide)]
    return "\n\n".join(parts) + "\n"


def wide_by_setting(path: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """A table of scores by arm and seed for each set of faces and setting, in the page's order."""
    by = measurements.read(path).groupby(["dataset", "setting"])
    return {
        key: part.pivot_table(index=["arm", "seed"], columns="score", values="value")
        for key, part in sorted(by, key=place_on_page)
    }


def place_on_page(part: tuple[tuple[str, str], pd.DataFrame]) -> tuple[bool, bool, bool, str]:
    """The better kind of prior comes first, then whole trainings and faces nothing was tuned on."""
    (dataset, setting), _ = part
    return BY_LIKENESS not in setting, OF_REWARD in setting, dataset != "orl", setting


def beside(wide: pd.DataFrame, other: pd.DataFrame, arms: Sequence[str]) -> str:
    """What the arms of one prior are ahead of those of another, paired, with newcomers' leakage."""
    shown = {**SCORES, **{s: LEAKS[s] for s in ("identity_leakage", "membership_auc")}}
    rows = []
    for name in arms:
        apart = (wide.loc[name] - other.loc[name]).dropna(how="all")
        if apart.empty:
            continue  # no seed in both
        cells = [
            measurements.signed(apart[s].dropna().tolist()) if s in apart else "–" for s in shown
        ]
        rows.append([f"{name} ({len(apart)})", *cells])
    return measurements.markdown_table(["difference (seeds)", *shown.values()], rows)


def pairs_among(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Each beside those before it."""
    return [(arm, base) for at, arm in enumerate(arms) for base in arms[:at]]


def is_asked(arm: str, base: str) -> bool:
    """Whether the page shows this difference."""
    order = list(ARMS)
    return arm in MADE and base in order[: order.index(arm)]


def whole_of(arm: str) -> str:
    """The arm that has every part of the reward."""
    return arm.partition(", ")[0]


def based_on(ablation: str) -> str:
    """The arm that an ablation changes."""
    for suffix in (LEARNT, BOTH, PRIOR, TUNED, ALONE):
        ablation = ablation.removesuffix(suffix)
    return ablation


def arms_table(wide: pd.DataFrame, arms: Sequence[str]) -> str:
    """Means with intervals, an arm a row."""
    columns = {**SCORES, "cpu_seconds": "CPU s"}
    rows = []
    for arm in arms:
        cells = [
            measurements.cell(wide.loc[arm][s].tolist(), digits=0 if s == "cpu_seconds" else 3)
            for s in columns
        ]
        rows.append([f"{arm} ({len(wide.loc[arm])})", *cells])
    return measurements.markdown_table(["arm (seeds)", *columns.values()], rows)


def differences(wide: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> str:
    """Paired differences, over the seeds that both arms have."""
    rows = []
    for arm, base in pairs:
        if arm in wide.index and base in wide.index:
            apart = (wide.loc[arm] - wide.loc[base]).dropna(how="all")
            shown = [measurements.signed(apart[s].tolist()) for s in SCORES]
            rows.append([f"{arm} - {base} ({len(apart)})", *shown])
    return measurements.markdown_table(["difference (seeds)", *SCORES.values()], rows)


def each_beside(arms: Sequence[str], *bases: str | Callable[[str], str]) -> list[tuple[str, str]]:
    """Each arm beside these; a base may follow from the arm's name."""
    return [(arm, base if isinstance(base, str) else base(arm)) for arm in arms for base in bases]


SECTIONS: dict[str, tuple[Mapping[str, Arm], Callable[[Sequence[str]], list[tuple[str, str]]]]] = {
    "Newcomers of the prior": (
        OF_PRIOR,
        lambda arms: each_beside(arms, *UNMADE, based_on) + pairs_among(arms),
    ),
    "What is chosen": (
        CHOICES,
        lambda arms: [("selected", arm) for arm in arms] + each_beside(arms, "cold_start"),
    ),
    "Other rewards": (REWARD_ARMS, lambda arms: each_beside(arms, whole_of, "cold_start")),
    "Names alone": (
        NAMES_ALONE,
        lambda arms: (
            [(based_on(arm), arm) for arm in arms]
            + pairs_among([arm for arm in arms if based_on(arm) in ARMS])
        ),
    ),
    "Photographs of real people in place of newcomers": (
        PHOTOGRAPHS,
        lambda arms: [(made, arm) for arm in arms for made in MADE],
    ),
    "From the prior's encoder": (
        FROM_ENCODER,
        lambda arms: each_beside(arms, ENCODER, based_on) + pairs_among(arms),
    ),
    "Whose pictures": (
        ABLATIONS,
        lambda arms: [
            *each_beside(arms, "real", based_on),
            ("selected", "cold_start" + LEARNT),
        ],
    ),
}
NOTES = """
# Identity: five arms

Each arm trains the same small recogniser from the same first weights with as many updates and, in
an update, as many pictures: `real` on the few pictures alone, `random_erasing` with patches of them
blanked. In the others half of each batch are generated pictures of 200 people who do not exist
(newcomers), drawn by the arm's generator: before reinforcement in `cold_start`, after it in
`reinforced`; `selected` has others, chosen (below). Scores are of people whom neither generator nor
recogniser saw. Fidelity and leakage are by a face network that gave no reward (docs/metrics.md).
Means with 95 % intervals over seeds (Student's t; a seed is other people, other pictures, other
weights); differences are paired.

What is seen with the prior by likeness. With three pictures each (ORL, five seeds) newcomers raise
mAP from .79 to .88 and TAR at 1 % FAR from .63 to .77: `selected` is ahead of `real` by +.095 ±
.024 of mAP and +.038 ± .007 of verification accuracy, of `random_erasing` by +.105 ± .020 and +.037
± .009. With five pictures (five seeds) it is ahead of `real` by +.096 ± .019 and +.036 ± .016, of
`random_erasing` by +.094 ± .018 and +.036 ± .013. With all but two (newcomers as the cold start
left them) it was +.078 ± .021 and +.034 ± .019 beside `real`.

The cold start of the paper shows a recogniser the learnt people themselves. That ("cold_start,
learnt people") brings no more mAP than `real`; beside it, over four seeds, `selected` is ahead by
+.091 ± .018 of mAP and +.037 ± .008 of verification accuracy, `reinforced` by +.096 ± .007 and
+.040 ± .008. Our `cold_start` has newcomers, too, and beside it no arm is ahead on ORL:
`reinforced` +.002 ± .008 of mAP, `selected` +.002 ± .016. Nor could one be by much: photographs of
as many real strangers are level with all three. On LFW, where faces vary more, photographs are .06
ahead; there `reinforced` is +.012 of mAP and +.013 of verification accuracy beside `cold_start`
(two seeds, ahead in both). The prior's encoder by itself, which saw thousands of real pictures of
others, is ahead of every arm (.93; LFW .50).

Newcomers look like somebody learnt no more often than real people do. ORL: .002 of their pictures,
before reinforcement and after; unseen people .032, held-out pictures of the learnt .051 (like
another), both differences beyond chance; to the second network hardly any, .053 and .031. LFW (two
seeds): .075 before, .050 after, .044 of those who look least alike; unseen people .047, held-out
.044; second network .071, .033, .020; .044, .054. Newcomers drawn by the weights of the cold start
did in .034 (ORL) and .099 (LFW) after reinforcement. They had the light of ORL's studio, and
`cold_start` was .010 ± .007 of mAP better by it, `reinforced` .004 ± .011, `selected` .005 ± .020
(rows of identity_earlier.csv less those of identity.csv, paired by seed).

What reinforcement does to pictures (ORL). The judge finds .56 of a newcomer's pictures before and
.83 after (+.26 ± .02); their spread goes from 2.92 to 2.57 times that of a real person. Pictures of
the learnt people are recognised by .72 before and .80 after, at a diversity of 2.55 and 2.21 times
the real one (asked for: 1.1) and the same membership AUC (.63).

What a recogniser makes of each part of the reward ("of 1,000 updates, 20 iterations": a prior of a
quarter of the training, half the reinforcement, three seeds; what the parts do to pictures:
identity_reward.md): nothing that stands out. With one part left out mAP moves by -.004 to +.004 and
verification accuracy by -.003 to +.005; only without R_exp mAP falls in every seed (-.004 ± .001),
which one of sixteen such intervals may do by chance. The shorter training of the prior itself costs
`cold_start` .007 ± .006 of mAP.

Faces: ORL (AT&T Laboratories Cambridge), whom no prior has seen. LFW: 20 people with three pictures
each of the 80 whom face_prior.py kept apart, and up to ten pictures of each of the other 60 as
unseen people. Settings were chosen on people of LFW, so that what stands there is seen on tuning
data. That strangers vary as the cold start draws them was decided after a look at ORL, where the
people of one studio vary little.

"Prior by likeness": a prior that draws whomever an encoder's features describe, trained by
face_prior.py on 2,793 people of LFW (encoder: 759 of them with two pictures and more), 4,000
updates on top of a prior that knew all of LFW half A as nobody in particular; none of ORL. Its
newcomers are described by features drawn from the spread of those people, at guidance 2, and drawn
without what the cold start taught (docs/findings-identity.md): those of `cold_start` are the
prior's own, the same in all settings. Its encoder rewards, and 60 strangers are reinforced beside
the learnt. A recogniser is told the whole feature that described a newcomer, which stands for their
class in the loss, fixed; with "names alone" a newcomer is one more class. `selected` has newcomers
chosen among 4,096 to look least alike (`apart`), and no choice in its steps.

"Looks like another": matches a training picture of somebody else where 1 in 1,000 pairs of two real
people do; a newcomer should look like nobody learnt. "Newcomers found": the share of a newcomer's
pictures that the judge puts with its other ones and not with one of the 199 others. "Real
strangers": in place of newcomers photographs of 200 people of LFW whom the prior was shown (804
pictures), described by what its encoder sees in them, or by number alone: what newcomers would
bring if they were photographs. "Learnt people": generated pictures of the learnt people, whom the
cold start of the paper shows a recogniser, in place of newcomers; "both": of both, and half as many
pictures again in an update. The prior was trained by one command on each of several machines; real
strangers and learnt people were measured with other copies of it.

"Newcomers as the cold start leaves them" (all pictures but two of each): measured before, with
newcomers drawn by the weights that had imitated the learnt people, and not anew yet. More of that
kind, with the rewards and priors of then: identity_earlier.md.

The prior by classes (all other settings). Newcomers are mixed from the learnt people there, and
`selected` takes, of two pictures, the one whose identity the recogniser sees better already;
`selected, lookahead` the one whose loss falls more by a virtual step. "Of the prior": newcomers
mixed from the people whom the prior was trained on (LFW, none of these) and drawn with guidance 3.
With three pictures each newcomers raise verification accuracy and mAP over `real` and over
`random_erasing` in every seed, for the same updates and pictures (CPU seconds are those of the
recogniser, without the generator). Pictures of the learnt people do not, also where a judge
recognises 95 % of them, and take back part of what newcomers bring (two seeds). For that the cold
start is nearly enough: from 200 steps mAP rises in order from `cold_start` over `reinforced` to
`selected` (.863, .867, .870; eight seeds), and so does TAR (.73, .74, .75), but by less than seeds
differ; from 850 steps they are level. With five pictures each (three seeds) it is the same: mAP is
.06 to .08 ahead of `random_erasing` beyond chance, and no arm with newcomers stands apart from
another.

The longer cold start has its price: from 400 steps an attacker who holds the generator reaches a
membership AUC of .72, from 850 steps .88; reinforcement changes neither. And newcomers take after
those they were mixed from: of three parents, one has often nine tenths. 200 steps give newcomers as
useful, at a fraction of both (identity_front.md).

Mixed from the people of the prior, newcomers are as useful: verification accuracy and mAP are ahead
of `real` and of `random_erasing` beyond chance (five seeds), and level with newcomers of the learnt
people. But they look like somebody learnt hardly more often than unseen people do (four seeds):
.042 of their pictures for .110, by the judge (unseen people .028, other pictures of the learnt
people .050 like somebody else), and .027 for .184 (.049) by a second network, both beyond chance.
Whoever holds the generator itself learns as much as before. `reinforced` and `selected` of them are
not measured.
"""


def main() -> None:
    """Measure what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--faces", type=Path, help="orl_faces.npz or lfw_a.npz; without it only the page"
    )
    parser.add_argument("--prior", type=Path, help="folder of a prior that knows none of them")
    parser.add_argument("--strangers", type=Path, help="lfw_a.npz, for the arms of photographs")
    parser.add_argument("--judge", type=Path, help="exported face network (.pt2)")
    parser.add_argument("--second", type=Path, help="another one")
    parser.add_argument(
        "--per-identity", type=int, nargs="+", default=[3, 5], help="0: all but two"
    )
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cold-start", type=int, default=COLD_START_STEPS, help="its steps")
    parser.add_argument("--prior-updates", type=int, default=UPDATES, help="that it had")
    parser.add_argument("--iterations", type=int, default=N_STEPS, help="of reinforcement")
    parser.add_argument("--updates", type=int, default=N_UPDATES, help="of each recogniser")
    parser.add_argument("--arms", nargs="+", default=[*ARMS, *PICTURES])
    parser.add_argument("--ablations", action="store_true", help="arms that say what earns it")
    parser.add_argument("--results", type=Path, default=measurements.csv_of("identity"))
    chosen = parser.parse_args()
    if set(chosen.arms) & set(PHOTOGRAPHS) and chosen.strangers is None:
        parser.error("the arms of photographs want --strangers lfw_a.npz")
    for seed in chosen.seeds if chosen.faces is not None else ():
        for per_identity in chosen.per_identity:
            run(chosen, per_identity, seed)
    PAGE.write_text(page(chosen.results), encoding="utf-8")


def setting_of(chosen: argparse.Namespace, per_identity: int) -> str:
    """The name of all that a world's rows have in common."""
    each = f"{per_identity} pictures each" if per_identity else "all pictures but two of each"
    setting = f"{chosen.people} people, {each}, {chosen.cold_start} steps of cold start"
    setting += kind_of_prior(chosen.prior, chosen.prior_updates)
    setting += f", {chosen.iterations}{OF_REWARD}" if chosen.iterations != N_STEPS else ""
    setting += f", {chosen.updates}{LONGER}" if chosen.updates != N_UPDATES else ""
    return setting


def run(chosen: argparse.Namespace, per_identity: int, seed: int) -> None:
    """The arms of one world that are not measured yet."""
    setting = setting_of(chosen, per_identity)
    dataset = "lfw" if chosen.faces.name == LFW else "orl"
    known = measurements.done(chosen.results)
    wanted = [*chosen.arms, *(ABLATIONS if chosen.ablations else ())]
    missing = [arm for arm in wanted if (dataset, setting, arm, seed) not in known]
    if not missing:
        return
    world = World(
        chosen.faces,
        chosen.prior,
        per_identity=per_identity or None,
        n_people=chosen.people,
        seed=seed,
    )
    policies = policies_of(world, chosen.cold_start, missing, chosen.iterations)
    for arm in missing:
        rows_before = measurements.read(chosen.results)
        same_faces = rows_before[rows_before["dataset"] == dataset]
        found = known_elsewhere(same_faces, setting, arm, seed)
        found = found or measured(chosen, world, arm, policies)
        rows = [
            dict(zip(measurements.FIELDS, (dataset, setting, arm, seed, score, value), strict=True))
            for score, value in found.items()
        ]
        measurements.append(chosen.results, rows)
        measurements.note_circumstances(chosen.results)
        print(f"{setting}, seed {seed}, {arm}: done", file=sys.stderr, flush=True)


def known_elsewhere(rows: pd.DataFrame, setting: str, arm: str, seed: int) -> dict[str, float]:
    """What another setting says of an arm that sees no generator: it is the same training."""
    if arm not in UNMADE:
        return {}
    people = [s for s in rows["setting"].unique() if seen_by_all(s) == seen_by_all(setting)]
    same = rows[rows["setting"].isin(people) & (rows["arm"] == arm) & (rows["seed"] == seed)]
    return same.drop_duplicates("score").set_index("score")["value"].to_dict()


def seen_by_all(setting: str) -> list[str]:
    """What a setting says of those trainings, too, that see no generated picture."""
    parts = setting.split(", ")
    return [*parts[:2], *(part for part in parts[2:] if part.endswith(LONGER))]


def measured(
    chosen: argparse.Namespace, world: World, arm: str, policies: Mapping[str, Policy]
) -> dict[str, float]:
    """All scores of an arm, or of a generator's pictures."""
    if arm in PICTURES:
        judges = load_encoder(chosen.judge), load_encoder(chosen.second)
        policy = policies[name_of_policy(arm)]
        parents = "prior" if arm.endswith(PRIOR) else "auto"
        kind: dict[str, Any] = {"parents": parents, "apart": arm.endswith(APART)}
        made = pictures_of(world, policy, new=arm.startswith(OF_NEW), **kind)
        if arm.startswith(OF_NEW):
            told = newcomers_leakage(world, made, *judges)
            return told | themselves(made, judges[0], world.holdout)
        return leakage(world, policy, made, *judges)
    any_made = pictures_of(world, policies["cold_start"], new=False)  # the scorecard wants some
    if arm == ENCODER:
        return utility(world, arm, encoder_of(world.prior), any_made)
    made, others = given_to(
        world, arm, policies, strangers=chosen.strangers
    )  # drawn before the clock runs
    started = time.process_time()
    recogniser = trained_arm(world, arm, made, others, n_updates=chosen.updates)
    seconds = time.process_time() - started
    return utility(world, arm, recogniser, any_made) | {"cpu_seconds": seconds}


if __name__ == "__main__":
    main()
