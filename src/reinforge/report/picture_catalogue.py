"""What the scores of pictures of identities are called in plain words, and their scales."""

from dataclasses import replace

from reinforge.report.catalogue import Catalogue, Control, Entry, Family, Scale

_SHARE = Scale(low_text="none", high_text="every one")
_NO_DIFFERENCE = Scale(high=None, low_text="no difference")
_GUESS = Scale(low=0.5, low_text="no better than guessing", high_text="every one recognised")
_FOUND = Scale(low_text="none", high_text="all", mark=0.01, mark_text="guessing")

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
        Scale(
            high=None, low_text="one picture repeated", mark=1.0, mark_text="as varied as real ones"
        ),
        "How much the synthetic pictures of one person differ, over how much the person's real "
        "pictures do.",
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
        "Looks like another training person",
        _SHARE,
        "Share of synthetic pictures that match a training person whom they were not asked to "
        "show, where 1 in 1,000 pairs of real strangers match.",
    ),
    (
        "privacy",
        "identity_leakage_strict",
        "The same, by a stricter match",
        _SHARE,
        "The same where 1 in 10,000 pairs of real strangers match.",
    ),
    (
        "privacy",
        "nearest_train_ratio",
        "Nearer to training pictures than fresh ones are",
        Scale(
            high=None,
            low_text="on top of a training picture",
            mark=1.0,
            mark_text="as near as fresh pictures",
        ),
        "Distance of a synthetic picture to the nearest training picture of its person, over that "
        "of a fresh real picture.",
    ),
    (
        "privacy",
        "copy_rate",
        "Copies of training pictures",
        _SHARE,
        "Share of synthetic pictures that are nearer to a training picture than almost any two "
        "real pictures of one person are to each other.",
    ),
    (
        "privacy",
        "own_identity_match",
        "Matches the person asked for",
        _SHARE,
        "Share of synthetic pictures that match the training person whom they were asked to show: "
        "what the generator is for, and why its pictures speak of real people.",
    ),
)

_NEWCOMERS: tuple[tuple[Family, str, str, Scale, str], ...] = (
    (
        "fidelity",
        "newcomer_found",
        "A newcomer's pictures go together",
        Scale(low_text="never", high_text="always"),
        "Share of pictures of people who do not exist that lie nearer to the other pictures of the "
        "same one than to those of any other.",
    ),
    (
        "fidelity",
        "newcomer_spread",
        "How varied one newcomer's pictures are",
        Scale(
            high=None, low_text="one picture repeated", mark=1.0, mark_text="as varied as real ones"
        ),
        "How much the pictures of one person who does not exist differ, over how much those of a "
        "real person do.",
    ),
    (
        "privacy",
        "newcomer_leakage",
        "Newcomers look like a training person",
        _SHARE,
        "Share of pictures of people who do not exist that match a training person, where 1 in "
        "1,000 pairs of real strangers match.",
    ),
    (
        "privacy",
        "newcomer_copy_rate",
        "Copies among newcomers",
        _SHARE,
        "Share of pictures of people who do not exist that are nearer to a training picture than "
        "almost any two real pictures of one person are to each other.",
    ),
)

_WITHOUT_EMBEDDING: tuple[tuple[str, str, Scale, str], ...] = (
    (
        "near_duplicates",
        "Near-duplicates",
        _SHARE,
        "Share of synthetic pictures that look all but the same as a training picture, by the "
        "slow waves of their grey levels and by no embedding.",
    ),
    (
        "membership_auc",
        "Membership, for the holder of the model",
        _GUESS,
        "How well an attacker who holds the generator tells pictures that it learnt from apart "
        "from others, by one question to it for each picture.",
    ),
    (
        "membership_tpr_at_1pct_fpr",
        "Members found at 1 % false alarms",
        _FOUND,
        "Share of training pictures that this attacker finds while accusing 1 % of the others.",
    ),
    (
        "membership_auc_no_box",
        "Membership, for the holder of the pictures",
        _GUESS,
        "The same for an attacker who holds the synthetic pictures alone and goes by the distance "
        "to the nearest one.",
    ),
    (
        "membership_tpr_at_1pct_fpr_no_box",
        "Members found with the pictures alone",
        _FOUND,
        "Share of training pictures that this attacker finds while accusing 1 % of the others.",
    ),
    (
        "newcomer_near_duplicates",
        "Near-duplicates among newcomers",
        _SHARE,
        "Share of pictures of people who do not exist that look all but the same as a training "
        "picture, by the slow waves of their grey levels and by no embedding.",
    ),
    (
        "newcomer_membership_auc_no_box",
        "Membership, for the holder of newcomers' pictures",
        _GUESS,
        "How well an attacker who holds pictures of people who do not exist alone tells pictures "
        "that the generator learnt from apart from others.",
    ),
    (
        "newcomer_membership_tpr_at_1pct_fpr_no_box",
        "Members found with newcomers' pictures alone",
        _FOUND,
        "Share of training pictures that this attacker finds while accusing 1 % of the others.",
    ),
)

SECOND = "_second"  # ends the names of scores in a second embedding space


def _entries() -> dict[str, Entry]:
    """The judge's space first, then the second one, then what needs no embedding."""
    found = [
        Entry(name=name, family=family, title=title, scale=scale, meaning=meaning)
        for family, name, title, scale, meaning in (*_ROWS, *_NEWCOMERS)
    ]
    found += [
        replace(
            entry,
            name=entry.name + SECOND,
            title=f"{entry.title} (second embedding)",
            meaning=f"In a second embedding space: {entry.meaning[0].lower()}{entry.meaning[1:]}",
        )
        for entry in found
        if entry.family == "privacy"
    ]
    found += [
        Entry(name=name, family="privacy", title=title, scale=scale, meaning=meaning)
        for name, title, scale, meaning in _WITHOUT_EMBEDDING
    ]
    return {entry.name: entry for entry in found}


ENTRIES = _entries()

_CONTROLS: dict[str, Control] = {
    "real": ("real pictures", "real", "bar"),
    "random_erasing": ("real pictures, random erasing", "erasing", "square"),
    "cold_start": ("generator before reinforcement", "cold start", "diamond"),
    "reinforced": ("reinforced, not selected", "reinforced", "triangle"),
    "copy": ("copy of the training pictures", "copy", "triangle"),
    "holdout": ("fresh pictures of the same people", "fresh", "circle"),
    "train": ("training pictures", "training", "bar"),
    "unseen": ("real pictures of strangers", "strangers", "diamond"),
    "perfect": ("as many pictures without fault", "faultless", "square"),
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
    "selected": ("selected", "the same, people or pictures chosen among more of them"),
}
