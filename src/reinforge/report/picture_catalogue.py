"""What the scores of pictures of identities are called in plain words, and their scales."""

from reinforge.report.catalogue import Catalogue, Control, Entry, Family, Scale

_SHARE = Scale(low_text="none", high_text="every one")
_NO_DIFFERENCE = Scale(high=None, low_text="no difference")

_ROWS: tuple[tuple[Family, str, str, Scale, str], ...] = (
    (
        "utility",
        "verification_accuracy",
        "Telling two people apart",
        Scale(low=0.5, low_text="no better than guessing", high_text="no error"),
        "How often a recogniser that learnt with the synthetic pictures says rightly whether two "
        "pictures show one person. The people are strangers to generator and recogniser.",
    ),
    (
        "utility",
        "tar_at_1pct_far",
        "Recognised at 1 % false matches",
        Scale(low_text="nobody", high_text="everybody"),
        "Share of pairs of one person that the recogniser accepts while it accepts 1 % of the "
        "pairs of two people.",
    ),
    (
        "utility",
        "map",
        "Finding all pictures of a person",
        Scale(low_text="never first", high_text="always first"),
        "Mean average precision of a search among strangers: how far up the ranking the other "
        "pictures of the person stand.",
    ),
    (
        "utility",
        "rank1",
        "The first hit is the person",
        Scale(low_text="never", high_text="always"),
        "Share of searches among strangers whose first hit shows the person looked for.",
    ),
    (
        "fairness",
        "group_gap",
        "Gap between groups",
        Scale(high=None, low_text="all groups alike"),
        "How far the group that is recognised best lies above the one that is recognised worst.",
    ),
    (
        "fidelity",
        "identity_accuracy",
        "Shows whom it should",
        Scale(low_text="never", high_text="always"),
        "Share of synthetic pictures in which a judge that gave no reward sees their own person.",
    ),
    (
        "fidelity",
        "intra_identity_diversity",
        "How varied one person's pictures are",
        Scale(high=None, low_text="all the same"),
        "Mean distance between the synthetic pictures of one person, in the judge's eye.",
    ),
    (
        "fidelity",
        "kid",
        "Distance of the pictures",
        _NO_DIFFERENCE,
        "How far the synthetic pictures lie from real ones as a whole (kernel inception distance "
        "in the judge's features); it may fall a little below 0 by chance.",
    ),
    (
        "fidelity",
        "density",
        "Density",
        Scale(high=None, low_text="far from real pictures", mark=1.0, mark_text="as dense as real"),
        "How densely the neighbourhoods of real pictures are filled by synthetic ones.",
    ),
    (
        "fidelity",
        "coverage",
        "Coverage",
        Scale(low_text="none", high_text="every real picture has a synthetic neighbour"),
        "Share of real pictures with a synthetic one in their neighbourhood.",
    ),
    (
        "privacy",
        "identity_leakage",
        "Looks like a training person",
        _SHARE,
        "Share of synthetic pictures that a recogniser takes for a real person of the training "
        "set, at a threshold at which it mixes up few real strangers.",
    ),
    (
        "privacy",
        "nearest_train_ratio",
        "Nearer to training pictures than to others",
        Scale(
            high=None,
            low_text="on top of training pictures",
            mark=1.0,
            mark_text="as near as to pictures not used",
        ),
        "Distance of a synthetic picture to the nearest training picture over its distance to the "
        "nearest picture that was not used.",
    ),
    (
        "privacy",
        "copy_rate",
        "Copies of training pictures",
        _SHARE,
        "Share of synthetic pictures that lie nearer to a training picture than two pictures of "
        "one person do.",
    ),
    (
        "privacy",
        "near_duplicates",
        "Near-duplicates",
        _SHARE,
        "Share of synthetic pictures that are, pixel by pixel, all but a training picture.",
    ),
    (
        "privacy",
        "membership_auc",
        "Membership, by asking the model",
        Scale(low=0.5, low_text="no better than guessing", high_text="every one recognised"),
        "How well an attacker who holds the model tells pictures that it learnt from apart from "
        "others, by one question to the model for each picture.",
    ),
    (
        "privacy",
        "membership_tpr_at_1pct_fpr",
        "Members found at 1 % false alarms",
        Scale(low_text="none", high_text="all", mark=0.01, mark_text="guessing"),
        "Share of training pictures that this attacker finds while accusing 1 % of the others.",
    ),
)

ENTRIES = {
    name: Entry(name=name, family=family, title=title, scale=scale, meaning=meaning)
    for family, name, title, scale, meaning in _ROWS
}

_CONTROLS: dict[str, Control] = {
    "real": ("real pictures alone", "real", "bar"),
    "random_erasing": ("real pictures with random erasing", "erasing", "square"),
    "cold_start": ("generator before reinforcement", "cold start", "diamond"),
    "reinforced": ("reinforced, not selected", "reinforced", "triangle"),
    "copy": ("copy of the training pictures", "copy", "triangle"),
    "holdout": ("fresh real pictures", "fresh", "circle"),
    "train": ("training pictures", "training", "bar"),
    "control": ("same attack on pictures not used", "not used", "circle"),
    "naive": ("guess without synthetic pictures", "guess", "square"),
    "chance": ("guessing", "guess", "wedge"),
    "limit": ("what luck alone can reach", "luck", "wedge"),
}

PICTURES = Catalogue(entries=ENTRIES, controls=_CONTROLS)

ARMS = {  # what the recogniser learns from, in the order of the comparison
    "real": ("real", "the real pictures alone"),
    "random_erasing": ("random erasing", "real pictures with a patch blanked at random"),
    "cold_start": ("cold start", "real pictures and those of the generator before any reward"),
    "reinforced": ("reinforced", "real pictures and those of the reinforced generator"),
    "selected": ("selected", "the same, each step choosing the pictures that help it most"),
}
