"""The verbs, put together; parsing happens here and nowhere else."""

from typing import Annotated, Any

import typer

import reinforge
from reinforge.cli.interrupts import Stop
from reinforge.cli.options import verb
from reinforge.cli.screen import Screen
from reinforge.cli.settings import RunSettings
from reinforge.cli.settings_pictures import IdentitySettings, PriorSettings
from reinforge.cli.verbs_identity import fit_identity, run_identity
from reinforge.cli.verbs_judge import evaluate
from reinforge.cli.verbs_look import compare, doctor, report, verify
from reinforge.cli.verbs_prior import train_prior
from reinforge.cli.verbs_rows import sample
from reinforge.cli.verbs_train import demo, fit_tabular, run_tabular
from reinforge.errors import InputError

_VERBS = "demo run fit sample evaluate report compare verify prior doctor".split()
_TABLE = ("data.sep", "data.encoding", "data.drop")
_SPLIT = ("split.target", "split.sensitive", "split.person", "split.holdout")
_MODEL = ("model.preset", "model.rules", "model.max_leakage")
_ROWS = ("sample.n", "sample.where", "sample.balance")
_PICTURES = ("seed", "prior", "data.layout", "model.preset")
_JUDGES = ("evaluate.level", "evaluate.require")


class VerbGroup(typer.core.TyperGroup):
    """The verbs in the order in which they are used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names for the help."""
        return sorted(self.commands, key=_VERBS.index)


class SystemGroup(typer.core.TyperGroup):
    """Verbs that want the name of a system after them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Refuse an unknown system with the known ones."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise InputError(
                f"unknown system {args[0]!r}; this version has {', '.join(self.commands)}: "
                f"e.g. `{ctx.command_path} tabular FILE`."
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=VerbGroup,
    help="Synthetic data by reinforcement learning: a reward says what makes a sample useful.",
    epilog="Start with:  reinforge demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run_group = typer.Typer(cls=SystemGroup, no_args_is_help=True)
fit_group = typer.Typer(cls=SystemGroup, no_args_is_help=True)
prior_group = typer.Typer(no_args_is_help=True)


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Take --version before any verb; `run_app` answers it."""


verb(
    app,
    "demo",
    settings=("seed", *_MODEL, *_JUDGES),
    examples=(
        "reinforge demo",
        "reinforge demo --out runs/mine --seed 7",
        "reinforge demo identity",
    ),
)(demo)
verb(
    run_group,
    "tabular",
    settings=("seed", *_TABLE, *_SPLIT, *_MODEL, *_ROWS, *_JUDGES),
    examples=(
        "reinforge run tabular patients.csv --target outcome --sensitive sex --out runs/a",
        "reinforge run tabular patients.csv --target outcome --out runs/a --dry-run",
        'reinforge run tabular visits.parquet --person id --rule "sbp > dbp" --out runs/b',
        "reinforge run tabular --out runs/a --resume",
    ),
)(run_tabular)
verb(
    run_group,
    "identity",
    settings=(
        *(*_PICTURES, "split.unseen", "split.holdout", "sample.n", "sample.balance"),
        *("final.arms", "evaluate.judge", "evaluate.level", "evaluate.require"),
    ),
    kinds=(IdentitySettings,),
    examples=(
        "reinforge run identity photos --prior priors/faces -n 20 --out runs/b",
        'reinforge run identity photos --arms real,selected --require "copy_rate<=0.05" '
        "--out runs/b",
        "reinforge run identity --out runs/b --resume",
    ),
)(run_identity)
app.add_typer(run_group, name="run", help="From real records or pictures to synthetic ones.")
verb(
    fit_group,
    "tabular",
    settings=("seed", *_TABLE, *_SPLIT, *_MODEL),
    examples=(
        "reinforge fit tabular patients.csv --target outcome --out runs/a",
        "reinforge fit tabular patients.csv --set model.n_steps=5000 --out runs/b",
        "reinforge fit tabular --out runs/a --resume",
    ),
)(fit_tabular)
verb(
    fit_group,
    "identity",
    settings=_PICTURES,
    kinds=(IdentitySettings,),
    examples=(
        "reinforge fit identity photos --prior priors/faces --out runs/b",
        "reinforge fit identity photos.csv --set model.n_steps=50 --set recogniser.n_steps=500 "
        "--out runs/c",
        "reinforge fit identity --out runs/b --resume",
    ),
)(fit_identity)
app.add_typer(fit_group, name="fit", help="Train a generator on real records or pictures.")
verb(
    app,
    "sample",
    settings=(
        *("sample.n", "sample.seed", "sample.where", "sample.balance"),
        *("sample.identities", "sample.newcomers", "sample.parents", "sample.apart"),
    ),
    kinds=(RunSettings, IdentitySettings),
    examples=(
        "reinforge sample runs/a -n 10000 --seed 1 --out synthetic.parquet",
        'reinforge sample runs/a -n 500 --where outcome=1 --where "sex=F" --out rare.csv',
        "reinforge sample runs/a -n 1000 --balance outcome --out balanced.parquet",
        "reinforge sample runs/b -n 20 --identities anna,ben --seed 1 --out pictures",
        "reinforge sample runs/b -n 5 --newcomers 200 --apart --out strangers",
    ),
)(sample)
verb(
    app,
    "evaluate",
    settings=(
        "evaluate.seed",
        *_TABLE,
        "split.target",
        "split.sensitive",
        "split.person",
        *_JUDGES,
    ),
    examples=(
        "reinforge evaluate runs/a",
        'reinforge evaluate runs/a --level quick --require "membership_auc<=0.55"',
        "reinforge evaluate --train t.csv --holdout h.csv --synthetic s.csv --target y --out j",
        "reinforge evaluate --self-test",
    ),
)(evaluate)
verb(app, "report", examples=("reinforge report runs/a",))(report)
verb(
    app,
    "compare",
    examples=("reinforge compare runs/a runs/b", "reinforge compare runs/* --out runs.html"),
)(compare)
verb(app, "verify", examples=("reinforge verify runs/a",))(verify)
verb(
    prior_group,
    "train",
    settings=("seed", "start", "data.layout"),
    kinds=(PriorSettings,),
    examples=(
        "reinforge prior train faces --set size=48 --set channels=1 --out priors/faces",
        "reinforge prior train faces --set likeness=true --start priors/faces --out priors/told",
        "reinforge prior train --drawn --out priors/drawn",
        "reinforge prior train --out priors/faces --resume",
    ),
)(train_prior)
app.add_typer(prior_group, name="prior", help="Diffusion priors, which identities are put into.")
verb(app, "doctor", examples=("reinforge doctor", "reinforge doctor --json"))(doctor)


def run_app(argv: list[str], *, screen: Screen, stop: Stop) -> int:
    """Parse and run one command; errors come out as exceptions."""
    if argv[:1] == ["--version"]:
        screen.payload["version"] = reinforge.__version__
        screen.show(f"reinforge {reinforge.__version__}")
        return 0
    code = app(args=argv, prog_name="reinforge", standalone_mode=False, obj=(screen, stop))
    return code if isinstance(code, int) else 0
