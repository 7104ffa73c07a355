"""What the documents say runs, exists and is current.

Pages train at full length; here every training is cut to a few steps and a tiny prior, every
evaluation is "quick" and ten million rows are ten thousand. To write docs/settings.md anew:

    .venv/bin/python tests/test_docs.py
"""

import importlib
import inspect
import re
import shlex
from functools import partial
from pathlib import Path

import pytest
from annotated_types import Ge, Gt, Le, Lt

from reinforge.cli import main
from reinforge.cli.options import FLAGS
from reinforge.cli.settings import RunSettings
from reinforge.cli.settings_pictures import IdentitySettings
from reinforge.generators.dit import new_dit
from reinforge.generators.pretrain import PretrainConfig
from reinforge.recognition import config as recogniser_config
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.mixing import MixingConfig
from reinforge.systems.identity import config as identity_config
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.tabular import config as tabular_config
from reinforge.systems.tabular.config import TabularConfig
from small_identity import RECOGNISER, SMALL, small_prior

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FEW_STEPS = {"n_steps": 12, "cold_start_steps": 5, "discriminator_warmup": 2, "batch_rows": 64}
SMALLER = {"10_000_000": "10_000", "-n 10000000": "-n 10000", "n_steps=3000": "n_steps=3"}
VERDICTS = r"\b(anonymous|anonymi[sz]ed|anonymity|compliant|safe|safely)\b"


def name(page):
    return page.relative_to(ROOT).as_posix()


def blocks(page):
    """Each block of a page: its language, the file it stands for, and its text."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def runnable(page):
    return any(kind == "python" or "$ reinforge" in text for kind, _, text in blocks(page))


@pytest.fixture
def hurried(monkeypatch):
    """Trainings of a few steps and quick evaluations, whatever a page asks for."""
    resolve = tabular_config.resolve_config
    few = {key: value for key, value in FEW_STEPS.items() if key in TabularConfig.model_fields}

    def resolved(preset, settings):
        return resolve(preset, {**settings, **few})

    for home in ("reinforge.systems.tabular.config", "reinforge.synthesizers.tabular"):
        monkeypatch.setattr(f"{home}.resolve_config", resolved)
    identity = identity_config.resolve_config
    recogniser = recogniser_config.resolve_recogniser
    for home in ("reinforge.systems.identity.config", "reinforge.synthesizers.identity"):
        monkeypatch.setattr(
            f"{home}.resolve_config", lambda preset, given: identity(preset, {**given, **SMALL})
        )
    for home in ("reinforge.systems.identity.teacher", "reinforge.recognition.config"):
        monkeypatch.setattr(
            f"{home}.resolve_recogniser",
            lambda preset, **given: recogniser(preset, **{**given, **RECOGNISER}),
        )
    tiny = partial(small_prior, n_classes=4)  # people, as the shipped one has them
    monkeypatch.setattr("reinforge.synthesizers.identity.shipped_prior", tiny)
    monkeypatch.setattr("reinforge.generators.pretrain.new_dit", small_dit)
    for key, value in {"N_DRAWN": 2, "N_JUDGE": 2, "JUDGE_STEPS": 2}.items():
        monkeypatch.setattr(f"reinforge.cli.demo_identity.{key}", value)
    level_of = importlib.import_module("reinforge.evaluation.levels").level_of
    monkeypatch.setattr("reinforge.evaluation.scorecard.level_of", lambda _: level_of("quick"))


def small_dit(**shape):
    return new_dit(**{**shape, "n_layers": 1, "n_heads": 1, "head_dim": 16})


@pytest.fixture
def table(tmp_path, monkeypatch):
    """The tutorial's patients.csv in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    first = next(text for kind, _, text in blocks(ROOT / "docs/tutorial.md") if kind == "python")
    exec(compile(first, "tutorial.md", "exec"), {})


def run_commands(text, page):
    """Run each `$ reinforge` line; a line `# exit code N` below it says what it should end with."""
    lines = text.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("$ reinforge "):
            wanted = int(after.rpartition(" ")[2]) if after.startswith("# exit code") else 0
            code = main([*shlex.split(line)[2:], "--quiet"])
            assert code == wanted, f"{page}: {line!r} ended with {code}, not {wanted}"


@pytest.mark.usefixtures("hurried", "table")
@pytest.mark.parametrize("page", list(filter(runnable, PAGES)), ids=name)
def test_every_block_of_a_page_runs_in_order(page):
    names = {}
    for kind, file, text in blocks(page):
        for large, small in SMALLER.items():
            text = text.replace(large, small)
        if file:
            Path(file).write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, name(page), "exec"), names)
        elif kind == "console":
            run_commands(text, name(page))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_between_pages_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            place = (page.parent / path) if path else page
            assert place.exists(), f"{name(page)} links to {target}"
            assert not anchor or anchor in anchors(place), f"{name(page)} links to {target}"


def anchors(page):
    """The anchors of a page's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_gives_a_verdict_on_privacy(page):
    assert not re.findall(VERDICTS, page.read_text(encoding="utf-8"), re.IGNORECASE)


def test_the_result_table_of_the_readme_is_the_one_that_was_measured():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- results:start -->")[2].partition("<!-- results:end -->")[0]
    measured = (ROOT / "benchmarks/tabular.md").read_text(encoding="utf-8").splitlines()
    for row in (cells(line) for line in shown.splitlines() if line.startswith("|")):
        same_arm = {cell for line in measured for cell in cells(line) if cells(line)[:1] == row[:1]}
        for number in (cell for cell in row[1:] if re.search(r"\d\.\d", cell)):
            assert number in same_arm, f"README: {row[0]} {number} is not in benchmarks/tabular.md"


def test_the_table_of_identities_of_the_readme_is_the_one_that_was_measured():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("### Identities")[2].partition("\n## ")[0]
    measured = (ROOT / "benchmarks/identity.md").read_text(encoding="utf-8")
    first = measured.partition("\n## ")[2].partition("\n## ")[0]  # ORL, three pictures each
    rows = [cells(line) for line in shown.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 5
    known = {tuple(cells(line)[1:3]) for line in first.splitlines() if line.startswith("|")}
    for arm, precision, accuracy in rows:
        assert (accuracy, precision) in known, f"README: {arm} is not in benchmarks/identity.md"


def cells(line):
    """The cells of a table's row, without emphasis."""
    return [cell.strip().strip("*") for cell in line.strip().strip("|").split("|")]


def test_every_function_of_the_paper_map_exists():
    text = (ROOT / "docs/paper-map.md").read_text(encoding="utf-8")
    places = re.findall(r"`(\w[\w/]+)\.py: ([\w, ]+)`", text)
    assert len(places) > 30
    for path, functions in places:
        module = importlib.import_module(f"reinforge.{path.replace('/', '.')}")
        for function in functions.split(", "):
            assert hasattr(module, function), f"paper-map.md: {path}.py has no {function}"


# docs/settings.md


def test_the_page_of_settings_is_current():
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert page == settings_page(), "run: .venv/bin/python tests/test_docs.py"


def settings_page():
    """docs/settings.md, read off the settings themselves."""
    parts = [
        "# Settings",
        "Made by `tests/test_docs.py` from the settings themselves; do not edit.",
        "In Python, the generator's settings are keywords: `TabularSynthesizer(n_steps=500)`, "
        '`IdentitySynthesizer(n_steps=50, recogniser_settings={"n_steps": 500})`. On '
        "the command line each setting is `--set section.key=value` (the section may be left out "
        "where the key is unique) or a line in a `--config` file (YAML, sections as keys); common "
        "ones have a flag. Flags win over `--set`, `--set` over `--config`. Unknown keys are "
        "refused.",
        "## Tables: the generator (`model`)",
        *group_tables(TabularConfig),
        "### Presets",
        "What the paper (RLSyn, arXiv:2512.21395) or its public code says; of MIMIC-IV where they "
        "differ.",
        preset_table(tabular_config, TabularConfig),
        "## Tables: the rest of a run",
        *(section_table(RunSettings, s) for s in ("", *RunSettings.panels)),
        "## Identities: the generator (`model`)",
        *group_tables(IdentityConfig),
        "### Presets",
        "`paper`: arXiv:2604.07884 as far as it says, else DPOK (arXiv:2305.16381) and its public "
        "code.",
        preset_table(identity_config, IdentityConfig),
        "## Identities: the recogniser that rewards (`recogniser`)",
        *group_tables(RecogniserConfig),
        "### Presets",
        "Named by `model.recogniser`; arXiv:2604.07884 and the baselines that it builds on.",
        preset_table(recogniser_config, RecogniserConfig, is_said=False),
        "## Identities: the rest of a run",
        *(
            section_table(IdentitySettings, s)
            for s in ("", "data", "split", "sample", "final", "evaluate")
        ),
        "## Identities: synthetic pictures in the final training (`mixing`)",
        plain_table(MixingConfig),
        "## Priors: `reinforge prior train` (`model`)",
        plain_table(PretrainConfig),
    ]
    return "\n\n".join(parts) + "\n"


def groups(model):
    """The headings between a model's fields and the fields below each."""
    found = {}
    for heading, field in re.findall(
        r"^    (?:# (\w[\w ]*)$|(\w+): )", inspect.getsource(model), re.MULTILINE
    ):
        if heading:
            found[heading] = []
        elif field in model.model_fields:
            found[list(found)[-1]].append(field)
    return found.items()


def group_tables(model):
    return [
        f"### {heading.capitalize()}\n\n" + plain_table(model, fields)
        for heading, fields in groups(model)
    ]


def plain_table(model, fields=None):
    rows = [row_of(key, model.model_fields[key]) for key in fields or model.model_fields]
    return table_of(("setting", "default", "takes", ""), rows)


def section_table(system, section):
    model = system.model_fields[section].annotation if section else system
    rows = []
    for key, field in model.model_fields.items():
        path = f"{section}.{key}" if section else key
        if not inspect.isclass(field.annotation) or field.annotation in (bool, int, float, str):
            flag = ", ".join(f"`{flag}`" for flag in FLAGS.get(path, ()))
            rows.append((f"`{path}`", flag, *row_of(key, field)[1:2], field.description or ""))
    heading = f"### {section.capitalize()}\n\n" if section else ""
    return heading + table_of(("setting", "flag", "default", ""), rows)


def row_of(key, field):
    default = field.get_default()
    shown = "" if default in ((), {}) else f"`{default}`"
    return f"`{key}`", shown, takes(field), field.description or ""


def takes(field):
    """What a field accepts: its type and its bounds."""
    kind = field.annotation
    text = kind.__name__ if inspect.isclass(kind) else str(kind)
    text = re.sub(r"typing\.Optional\[(.*)\]$", r"\1 | None", text)
    text = re.sub(r"typing\.Literal\[(.*?)\]", lambda m: m[1].replace("'", ""), text)
    signs = {Ge: (">=", "ge"), Gt: (">", "gt"), Le: ("<=", "le"), Lt: ("<", "lt")}
    bounds = [
        f"{signs[type(bound)][0]} {getattr(bound, signs[type(bound)][1])}"
        for bound in field.metadata
        if type(bound) in signs
    ]
    return ", ".join([text.replace(" | ", " or "), *bounds])


def preset_table(module, model, *, is_said=True):
    """The published settings beside our default, and what is said of them."""
    said, names = sayings(module), [name for name, own in module.PRESETS.items() if own]
    keys = dict.fromkeys(key for preset in names for key in module.PRESETS[preset])
    rows = [
        (
            f"`{key}`",
            f"`{model.model_fields[key].default}`",
            *(f"`{own[key]}`" if key in own else "" for own in map(module.PRESETS.get, names)),
            *([said.get(key, "")] if is_said else []),
        )
        for key in keys
    ]
    heads = ("setting", "default", *names, *(["said of it"] if is_said else []))
    return table_of(heads, rows)


def sayings(module):
    """The comment beside each value of the presets; the first one counts."""
    source = inspect.getsource(module)
    said = {}
    for key, saying in re.findall(r'^\s+"(\w+)": .+?,  # (.+)$', source, re.MULTILINE):
        said.setdefault(key, saying)
    return said


def table_of(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


if __name__ == "__main__":
    (ROOT / "docs/settings.md").write_text(settings_page(), encoding="utf-8")
