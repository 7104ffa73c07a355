"""Tables for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from reinforge.cli.compare import Judged, Line
from reinforge.cli.doctor import Fact
from reinforge.cli.screen import Screen
from reinforge.records import Score
from reinforge.run_folder import Finding, RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from reinforge.evaluation.scorecard import Scorecard
    from reinforge.synthesizers.leakage import Tried

_LESSER = ("_second", "_strict", "_no_box")  # the same by another judge or attack: in the report


def _table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.min_width = min(len(title), 76)  # else a title is broken to the width of its columns
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in ("score", "value", "95 %", "better"),
        )
    return table


def score_table(scores: Iterable[Score]) -> Table:
    """Headline scores: those of everybody that have a value, with interval and controls."""
    table = _table("Scores", "score", "value", "95 %", "better", "controls", right=("value",))
    for score in scores:
        if score.group != "all" or score.value is None:
            continue
        interval = (
            f"{score.low:.3f}–{score.high:.3f}"
            if score.low is not None and score.high is not None
            else ""
        )
        controls = ", ".join(f"{name} {control:.3f}" for name, control in score.baseline.items())
        value = f"{score.value:.3f}"
        table.add_row(escape(score.name), value, interval, score.better, escape(controls))
    return table


def _not_computed(scores: Iterable[Score]) -> dict[str, list[str]]:
    """Reason -> scores of everybody that have no value for it."""
    found: dict[str, list[str]] = {}
    for score in scores:
        if score.group == "all" and score.value is None:
            found.setdefault((score.reason or "no reason is given").rstrip("."), []).append(
                score.name
            )
    return found


def reward_table(rewards: Sequence[tuple[str, float, float]]) -> Table:
    """Each reward of pictures of fixed seeds: after the cold start, and at the end."""
    table = _table(
        "Rewards of pictures of fixed seeds",
        "reward",
        "cold start",
        "reinforced",
        right=("cold start", "reinforced"),
    )
    for name, before, now in rewards:
        table.add_row(name, f"{before:.3f}", f"{now:.3f}")
    return table


def accuracy_table(accuracy: Mapping[str, float]) -> Table:
    """How many pictures an independent judge recognises."""
    table = _table(
        "Recognised by a judge that gave no reward", "pictures", "share", right=("share",)
    )
    for name, share in accuracy.items():
        table.add_row(name, f"{share:.3f}")
    return table


def arms_table(arms: Sequence[Mapping[str, Any]]) -> Table:
    """What the recogniser of each arm makes of people whom it never saw, a column a score."""
    names = list(dict.fromkeys(bar["score"] for bar in arms if bar["value"] is not None))
    table = _table("Recognisers on people whom they never saw", "arm", *names, right=tuple(names))
    for arm in dict.fromkeys(bar["arm"] for bar in arms):
        own = {bar["score"]: bar["value"] for bar in arms if bar["arm"] == arm}
        values = (own.get(name) for name in names)
        table.add_row(arm, *("" if value is None else f"{value:.3f}" for value in values))
    return table


def schema_table(columns: Sequence[dict[str, Any]]) -> Table:
    """What was inferred, a line a column."""
    table = _table("Columns", "column", "kind", "dtype", "details", "what happens")
    for column in columns:
        details = [column["details"], "some missing" if column["missing"] else ""]
        table.add_row(
            *(escape(str(column[key])) for key in ("column", "kind", "dtype")),
            escape("; ".join(filter(None, details))),
            escape(column["action"]),
        )
    return table


def preview_table(frame: "pd.DataFrame", *, title: str) -> Table:
    """A few rows, each from top to bottom, so that many columns fit on a narrow screen."""
    table = _table(title, "column", *(f"row {at + 1}" for at in range(len(frame))))
    cells = _cells(frame)
    for at, name in enumerate(frame.columns):
        values = cells.iloc[:, at].tolist()
        table.add_row(
            escape(str(name)), *("" if value is None else escape(_short(value)) for value in values)
        )
    return table


def _short(value: Any) -> str:
    """A value as text; a day without its midnight."""
    return str(value).removesuffix(" 00:00:00")


def _cells(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Values as they are, None where one is missing."""
    return frame.astype(object).where(frame.notna(), None)


def compare_table(runs: Sequence[Judged], lines: Sequence[Line]) -> Table:
    """Runs side by side; the best value of a line is bold and starred."""
    names = [escape(run.name) for run in runs]
    table = _table("Runs compared", "score", "group", "better", *names, right=tuple(names))
    for line in lines:
        cells = [
            "–" if value is None else f"[bold]{value:.4f}*[/]" if best else f"{value:.4f} "
            for value, best in zip(line.values, line.best, strict=True)
        ]
        table.add_row(escape(line.name), escape(line.group), line.better, *cells)
    return table


def fact_table(facts: Iterable[Fact]) -> Table:
    """The doctor's findings."""
    table = _table("This machine", "", "what", "found", "remedy")
    for fact in facts:
        sign = "ok" if fact.ok else "[bold red]!![/]"
        table.add_row(sign, escape(fact.name), escape(fact.value), escape(fact.remedy))
    return table


def finding_table(findings: Iterable[Finding]) -> Table:
    """Files that are not as the manifest says."""
    table = _table("Files", "state", "file")
    for finding in findings:
        table.add_row(finding.state, escape(finding.path))
    return table


def leak_table(leaks: Sequence[dict[str, Any]]) -> Table:
    """Planted leaks: which scores notice."""
    table = _table("Planted leaks", "leak", "noticed", "by")
    for leak in leaks:
        noticed = "yes" if leak["noticed"] else "no"
        table.add_row(escape(leak["leak"]), noticed, escape(", ".join(leak["noticed_by"])))
    return table


def show_scores(folder: RunFolder, scorecard: "Scorecard", screen: Screen) -> None:
    """The results of an evaluation: headline scores and where the rest lies."""
    screen.payload.update(
        run=str(folder.path),
        scorecard=str(folder.scorecard),
        report=str(folder.report),
        scores=scorecard.to_dict()["scores"],
    )
    arms = {bar["score"] for bar in scorecard.figures.get("arms") or []}  # a table of their own
    shown = [
        score
        for score in scorecard.scores
        if score.name not in arms and not score.name.endswith(_LESSER)
    ]
    screen.show(score_table(shown))
    for reason, names in _not_computed(shown).items():
        screen.show(f"Not computed: {', '.join(names)} ({reason}).")
    for warning in scorecard.context.get("warnings", ()):
        screen.show(f"Note: {warning}")
    screen.show(f"Scores: {folder.scorecard}")
    screen.show(f"Report: {folder.report}")


def show_looked_up(sources: Mapping[str, str], screen: Screen) -> None:
    """Columns that another one decides, if there are any."""
    screen.payload["looked_up"] = dict(sources)
    if sources:
        named = ", ".join(f"{column} (from {source})" for column, source in sources.items())
        screen.show(f"Looked up: {named}")


def show_tried(tried: Sequence["Tried"], screen: Screen) -> None:
    """Settings that were tried for max_leakage; the last ones hold."""
    screen.payload["leakage"] = [one.described() for one in tried]
    for one in tried:
        changed = ", ".join(f"{name}={value:g}" for name, value in one.settings.items())
        low, high = f"{one.auc.low:.3f}", f"{one.auc.high:.3f}"
        screen.show(
            f"Membership AUC on halves: {one.auc.value:.3f} ({low} to {high}) with "
            f"{changed or 'the settings as they were'}"
        )


def show_next(screen: Screen, *commands: str) -> None:
    """Where to go from here."""
    screen.show("Next:")
    for command in commands:
        screen.show(f"  reinforge {command}")


def show_preview(frame: "pd.DataFrame", screen: Screen) -> None:
    """A few synthetic rows."""
    screen.payload["preview"] = _cells(frame).to_dict("records")
    screen.show(preview_table(frame, title="Synthetic rows"))
