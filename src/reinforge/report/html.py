"""The page: one self-contained HTML file without script, link or picture from elsewhere."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reinforge.report import distributions, figures
from reinforge.report.numbers import decimals, shorten
from reinforge.report.summary import summarise

TEMPLATES = Path(__file__).parent / "templates"
TITLE = "Synthetic data report"
_OF_SCORES = (
    figures.strip_chart,
    figures.sign,
    figures.swatch,
    figures.reference_sign,
    figures.roc_chart,
    figures.forest_chart,
    figures.curve_chart,
)
_DRAWINGS = (
    figures.plane_chart,
    distributions.marginal_chart,
    distributions.association_chart,
    distributions.projection_chart,
)


def render(
    scorecard: Mapping[str, Any],
    *,
    history: Sequence[Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    title: str = TITLE,
) -> str:
    """Write a scorecard as one HTML page; every foreign text in it is escaped.

    Args:
        scorecard: ``Scorecard.to_dict()``; missing parts leave their section out or say why.
        history: One dict a training step (the lines of ``history.jsonl``).
        settings: The resolved settings of the run.
        title: The heading of the page.

    Returns:
        The text of the file, to be written as UTF-8.
    """
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    view = summarise(scorecard, history=history, settings=settings, title=title, date=today)
    css = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    return environment(*_DRAWINGS).get_template("report.html.j2").render(view=view, css=css)


@cache
def environment(*drawings: Callable[..., Markup]) -> Environment:
    """Templates that escape what they show and know the drawings of scores and of a page's own."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known = (*_OF_SCORES, *drawings)
    made.globals.update({drawing.__name__: drawing for drawing in known})
    made.filters.update({"decimals": decimals, "shorten": shorten})
    return made
