"""The verbs that only look: report, compare, verify, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from reinforge.cli.doctor import facts
from reinforge.cli.options import Overwrite, Run
from reinforge.cli.screen import Screen
from reinforge.cli.tables import compare_table, fact_table, finding_table
from reinforge.errors import InputError
from reinforge.files import write_atomic
from reinforge.run_folder import existing, read_config, require_system, write_manifest
from reinforge.run_folder import verify as verified
from reinforge.run_lock import locked

Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, or scorecard.json files.")
]
TableOut = Annotated[
    Path | None,
    typer.Option("--out", help="Write the table as .csv or .html as well.", show_default=False),
]
AllGroups = Annotated[bool, typer.Option("--groups", help="Show the scores of each group too.")]

BY_EVALUATE = "its report is written by `reinforge evaluate`, which looks at its pictures again."


def report(run: Run, *, screen: Screen) -> None:
    """Write the report of a run again, from its saved scores."""
    from reinforge.cli.stages import reported
    from reinforge.evaluation.scorecard import Scorecard

    folder = existing(run)
    require_system(folder, read_config(folder), "tabular", otherwise=BY_EVALUATE)
    if not folder.scorecard.is_file():
        raise InputError(f"{run}: has no scores yet; run `reinforge evaluate {run}` first.")
    with locked(folder.path, note=screen.note):
        reported(Scorecard.load(folder.scorecard), folder)
        write_manifest(folder)
    screen.payload["report"] = str(folder.report)
    screen.show(f"Report: {folder.report}")


def compare(
    runs: Runs,
    *,
    out: TableOut = None,
    groups: AllGroups = False,
    overwrite: Overwrite = False,
    screen: Screen,
) -> None:
    """Lay the scores of several runs side by side; the best of each line is marked.

    "Best" goes by each score's own direction. A difference inside the intervals is no difference.
    """
    from reinforge.cli import compare as compared

    writers = {".csv": compared.as_csv, ".html": compared.as_html}
    if out and out.suffix.lower() not in writers:
        raise InputError(f"{out}: wanted a name that ends in .csv or .html.")
    if out and out.exists() and not overwrite:
        raise InputError(f"{out}: exists already; add --overwrite or choose another name.")
    judged = [compared.read_judged(run) for run in runs]
    lines = compared.lines_of(judged, all_groups=groups)
    for difference in compared.differences(judged):
        screen.note(f"warning: {difference}")
    if out:
        write_atomic(out, writers[out.suffix.lower()](judged, lines).encode())
        screen.note(f"Wrote {out}")
    screen.payload["runs"] = [run.name for run in judged]
    screen.payload["scores"] = [
        {"name": line.name, "group": line.group, "better": line.better, "values": line.values}
        for line in lines
    ]
    screen.show(compare_table(judged, lines))


def verify(run: Run, *, screen: Screen) -> None:
    """Check every file of a run against the digests in its manifest.json."""
    findings = verified(existing(run))
    by_state = {
        state: [finding.path for finding in findings if finding.state == state]
        for state in ("ok", "changed", "missing", "unlisted")
    }
    screen.payload["files"] = by_state
    bad = [finding for finding in findings if finding.state in ("changed", "missing")]
    if bad:
        screen.show(finding_table(bad))
        raise InputError(
            f"{run}: {len(bad)} of {len(findings)} files are not as the manifest says, "
            f"first {bad[0].path} ({bad[0].state}); restore them or make the run again."
        )
    screen.show(f"{run}: all {len(by_state['ok'])} files are as the manifest says.")
    if by_state["unlisted"]:
        screen.show(f"Not in the manifest: {', '.join(by_state['unlisted'])}")


def doctor(*, screen: Screen) -> None:
    """Show versions, cores, memory, disk, GPU and optional packages, with what to install."""
    found = facts()
    screen.payload["facts"] = {fact.name: fact.value for fact in found}
    screen.show(fact_table(found))
    lacking = [fact for fact in found if not fact.ok]
    if lacking:
        raise InputError(f"{lacking[0].name} is {lacking[0].value}; run: {lacking[0].remedy}")
