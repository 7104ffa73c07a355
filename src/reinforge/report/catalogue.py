"""What each score is called in plain words, and the scale on which a reader may place it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal["utility", "fidelity", "privacy", "fairness", "other"]
Control = tuple[str, str, str]  # what it is, the same in a column head, the shape of its mark


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Where a score can lie; the ends carry words, so that a number needs no statistician."""

    low: float = 0.0
    high: float | None = 1.0  # None: as far as the values of this page go
    low_text: str = ""
    high_text: str = ""
    mark: float | None = None  # a reference inside the scale
    mark_text: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One score of the public interface as the page presents it."""

    name: str
    family: Family
    title: str
    meaning: str
    scale: Scale


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What pages of one kind call scores and controls, in the order in which they show them."""

    entries: Mapping[str, Entry]
    controls: Mapping[str, Control]

    def place(self, name: str) -> int:
        """Where a score stands; unknown ones come last."""
        return list(self.entries).index(name) if name in self.entries else len(self.entries)


_GUESS = Scale(low=0.5, low_text="no better than guessing", high_text="every one recognised")
_RISK = Scale(low_text="never", high_text="every time")
_FREE = Scale(high=None, low_text="no difference", high_text="")

_UTILITY_TITLES = {
    "s2r": ("Trained on synthetic, judged on real", "a model that learnt from the synthetic rows"),
    "r2r": ("Trained on real, judged on real", "a model that learnt from the real training rows"),
    "r2s": ("Trained on real, judged on synthetic", "a model that learnt from the real rows"),
}
_UTILITY_SCALES = {
    "auc": Scale(low=0.5, low_text="no better than guessing", high_text="no error"),
    "r2": Scale(low_text="no better than the mean", high_text="no error"),
}


def _utility(direction: str, metric: str) -> Entry:
    title, model = _UTILITY_TITLES[direction]
    rows = "synthetic rows" if direction == "r2s" else "holdout rows that nobody learnt from"
    return Entry(
        name=f"{direction}_{metric}",
        family="utility",
        title=title,
        meaning=f"How well {model} predicts the target of {rows}.",
        scale=_UTILITY_SCALES.get(metric, Scale(low_text="always wrong", high_text="no error")),
    )


def _entry(name: str, family: Family, title: str, scale: Scale, meaning: str) -> Entry:
    return Entry(name=name, family=family, title=title, scale=scale, meaning=meaning)


_FIDELITY = (
    _entry(
        "column_distance",
        "fidelity",
        "Distance of single columns",
        _FREE,
        "How far the distribution of one column lies from the real one, on average over columns.",
    ),
    _entry(
        "association_distance",
        "fidelity",
        "Distance of associations",
        _FREE,
        "How far the strength of the link between two columns lies from the real one, on average.",
    ),
    _entry(
        "detection_auc",
        "fidelity",
        "Telling synthetic from real",
        Scale(low=0.5, low_text="cannot be told apart", high_text="always told apart"),
        "How well a classifier tells synthetic rows from real ones.",
    ),
    _entry(
        "coverage",
        "fidelity",
        "Coverage",
        Scale(low_text="none", high_text="every real row has a synthetic neighbour"),
        "Share of real rows with a synthetic row in their neighbourhood.",
    ),
    _entry(
        "density",
        "fidelity",
        "Density",
        Scale(
            high=None, low_text="far from real rows", mark=1.0, mark_text="as dense as real rows"
        ),
        "How densely real neighbourhoods are filled by synthetic rows.",
    ),
    _entry(
        "nmi",
        "fidelity",
        "Clusters that sort real from synthetic",
        Scale(low_text="clusters are mixed", high_text="clusters are apart"),
        "How much the cluster of a row says about whether it is real (normalised mutual "
        "information).",
    ),
    _entry(
        "dwd",
        "fidelity",
        "Dimension-wise distance",
        _FREE,
        "Summed difference of rates and of scaled distances over all columns (dimension-wise "
        "distance); it grows with the number of columns.",
    ),
)

_PRIVACY = (
    _entry(
        "membership_auc",
        "privacy",
        "Membership by distance",
        _GUESS,
        "How well an attacker who holds a person's record can tell, by its distance to the nearest "
        "synthetic row, whether it was used for training.",
    ),
    _entry(
        "membership_tpr_at_1pct_fpr",
        "privacy",
        "Members found at 1 % false alarms",
        Scale(low_text="none", high_text="all", mark=0.01, mark_text="guessing"),
        "Share of training records that the attacker finds while accusing 1 % of the others.",
    ),
    _entry(
        "domias_auc",
        "privacy",
        "Membership by density ratio",
        _GUESS,
        "The same question, asked by comparing the density of synthetic rows with that of the "
        "population: it sees places where the generator has learnt by heart.",
    ),
    _entry(
        "singling_out_risk",
        "privacy",
        "Singling out",
        _RISK,
        "How often a description read off the synthetic rows fits exactly one training record.",
    ),
    _entry(
        "linkability_risk",
        "privacy",
        "Linking",
        _RISK,
        "How often the synthetic rows help to put two parts of one person's record together.",
    ),
    _entry(
        "inference_risk",
        "privacy",
        "Inferring a secret",
        _RISK,
        "How often a secret value is guessed from the others by way of the synthetic rows.",
    ),
    _entry(
        "attribute_risk",
        "privacy",
        "Guessing an attribute",
        _RISK,
        "How well the nearest synthetic rows reveal the unknown attributes of a known person.",
    ),
    _entry(
        "dcr_share",
        "privacy",
        "Nearest real row is a training row",
        Scale(
            low=0.0,
            low_text="always a holdout row",
            high_text="always a training row",
            mark=0.5,
            mark_text="balance",
        ),
        "Share of synthetic rows that lie nearer to a training row than to a holdout row. It shows "
        "similarity and proves nothing: attacks can succeed where it is balanced.",
    ),
    _entry(
        "identical_share",
        "privacy",
        "Rows identical to a training row",
        Scale(low_text="none", high_text="every row a copy"),
        "Share of synthetic rows that equal a training row in every column.",
    ),
)

ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        *(_utility(way, metric) for metric in ("auc", "r2") for way in ("s2r", "r2r", "r2s")),
        *_FIDELITY,
        *_PRIVACY,
    )
}

CONTROLS: dict[str, Control] = {  # in the order of columns
    "copy": ("copy of the training rows", "copy", "triangle"),
    "holdout": ("fresh real rows", "fresh", "circle"),
    "train": ("training rows", "training", "bar"),
    "control": ("same attack on people not used", "not used", "circle"),
    "naive": ("guess without synthetic rows", "guess", "square"),
    "limit": ("what luck alone can reach", "luck", "wedge"),
    "independent": ("columns drawn independently", "independent", "diamond"),
}


TABLES = Catalogue(entries=ENTRIES, controls=CONTROLS)


def entry_of(name: str, catalogue: Catalogue = TABLES) -> Entry:
    """The entry of a score; one that this page does not know keeps its name and a plain scale."""
    if name in catalogue.entries:
        return catalogue.entries[name]
    direction, _, metric = name.partition("_")
    if direction in _UTILITY_TITLES and metric:
        return _utility(direction, metric)
    return Entry(name=name, family="other", title=name, meaning="", scale=Scale(high=None))
