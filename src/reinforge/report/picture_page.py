"""The page of pictures of identities, in two editions: one to keep, one that may be passed on."""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from reinforge.errors import InputError
from reinforge.report.front import front_chart
from reinforge.report.html import TEMPLATES, environment
from reinforge.report.picture_figures import distance_chart, gap_chart
from reinforge.report.picture_grid import Pair, numbered, refuse_bad_samples, without_copies
from reinforge.report.picture_summary import Edition, summarise_pictures
from reinforge.report.releasable import Cleaner, names_of, releasable, releasable_history
from reinforge.report.sphere import kind_sign, sphere_chart

TITLE = "Synthetic identities report"
STYLES = ("report.css", "pictures.css")
_DRAWINGS = (sphere_chart, kind_sign, gap_chart, distance_chart, front_chart)


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What a page is made of."""

    scorecard: Mapping[str, Any]
    samples: Mapping[str, np.ndarray]
    pairs: Sequence[Pair]
    newcomers: Mapping[str, np.ndarray]
    newcomer_pairs: Sequence[Pair]
    history: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    title: str
    labels: Mapping[str, str]  # identity -> what it is called; others keep their names
    n_withheld: int = 0  # synthetic pictures that are all but real ones


def render_pictures(
    scorecard: Mapping[str, Any],
    *,
    edition: Edition,
    samples: Mapping[str, np.ndarray] | None = None,
    pairs: Sequence[Pair] | None = None,
    newcomers: Mapping[str, np.ndarray] | None = None,
    newcomer_pairs: Sequence[Pair] | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    private: Collection[str] = (),
    title: str = TITLE,
) -> str:
    """Write a scorecard of pictures as one HTML page; every foreign text in it is escaped.

    The releasable edition never holds a real picture, a name or a path: people are numbered, the
    map shows synthetic pictures alone, and a synthetic picture that is all but a real one of
    `pairs` is withheld.

    Args:
        scorecard: ``Scorecard.to_dict()``; missing parts leave their section out or say why.
        edition: "internal" may show real pictures and names; "releasable" shows neither.
        samples: Identity -> its synthetic pictures, uint8 (image, height, width, channel).
        pairs: Synthetic picture, the real one nearest to it, their distance, whose the real one is.
            The internal edition shows them; the releasable one looks for copies by them.
        newcomers: Person who does not exist -> their pictures, as `samples`.
        newcomer_pairs: Of those pictures, as `pairs`.
        history: One dict a training step (the lines of ``history.jsonl``).
        settings: The resolved settings of the run.
        private: Further names and texts that the releasable edition must not hold, e.g. of people
            who are in no sample.
        title: The heading of the page.

    Returns:
        The text of the file, to be written as UTF-8.

    Raises:
        InputError: The edition is unknown, or samples are no pictures.
    """
    if edition not in ("internal", "releasable"):
        raise InputError(f"report: edition must be internal or releasable, got {edition!r}.")
    content = _Content(
        scorecard=scorecard,
        samples=samples or {},
        pairs=pairs or (),
        newcomers=newcomers or {},
        newcomer_pairs=newcomer_pairs or (),
        history=history or (),
        settings=settings or {},
        title=title,
        labels={},
    )
    refuse_bad_samples(content.samples)
    refuse_bad_samples(content.newcomers)
    if edition == "releasable":
        content = _released(content, private)
    return _written(content, edition)


def _released(content: _Content, private: Collection[str]) -> _Content:
    """The content cleaned of people: what is arranged and written later never sees them."""
    named = names_of(content.scorecard, content.samples, [*content.pairs, *content.newcomer_pairs])
    cleaner = Cleaner({*named, *map(str, private)})
    kept, n_withheld = without_copies(content.samples, content.pairs)
    strangers, n_more = without_copies(content.newcomers, content.newcomer_pairs)
    labels = numbered(kept, _on_the_map(content.scorecard))
    return replace(
        content,
        scorecard=releasable(content.scorecard, cleaner),
        samples={name: kept[name] for name in labels if name in kept},
        pairs=(),
        newcomers={f"newcomer {k + 1}": made for k, made in enumerate(strangers.values())},
        newcomer_pairs=(),
        history=releasable_history(content.history, cleaner),
        settings=cleaner.nested(content.settings),
        title=cleaner.text(content.title),
        labels=labels,
        n_withheld=n_withheld + n_more,
    )


def _on_the_map(scorecard: Mapping[str, Any]) -> list[str]:
    """Identities of the map in the order of their points, in which no name has a part."""
    raw = (scorecard.get("figures") or {}).get("sphere")
    if not isinstance(raw, Mapping):
        return []
    places = zip(raw.get("points") or [], raw.get("identity") or [], strict=False)
    return [str(name) for _, name in sorted(places, key=lambda place: str(place[0]))]


def _written(content: _Content, edition: Edition) -> str:
    view = summarise_pictures(
        content.scorecard,
        samples=content.samples,
        pairs=content.pairs,
        newcomers=content.newcomers,
        newcomer_pairs=content.newcomer_pairs,
        labels=content.labels,
        history=content.history,
        settings=content.settings,
        title=content.title,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    )
    view |= {"is_internal": edition == "internal", "n_withheld": content.n_withheld}
    css = Markup("".join((TEMPLATES / name).read_text("utf-8") for name in STYLES))
    return environment(*_DRAWINGS).get_template("pictures.html.j2").render(view=view, css=css)
