import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import reinforge
from reinforge.cli import main
from reinforge.cli.doctor import facts
from reinforge.errors import GateError, ReinforgeError, ResourceError

COMMAND = [sys.executable, "-c", "import sys; from reinforge.cli import main; sys.exit(main())"]
VERBS = "demo run fit sample evaluate report compare verify prior doctor".split()


@pytest.fixture
def cli(capsys, tmp_path, monkeypatch):
    """Runs a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        code = main([str(arg) for arg in args])
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return run


@pytest.fixture
def failing(monkeypatch):
    """Makes `reinforge doctor` fail with an error."""

    def fail_with(error):
        def raising():
            raise error

        monkeypatch.setattr("reinforge.cli.verbs_look.facts", raising)

    return fail_with


def process(*args, **options):
    return subprocess.run(
        [*COMMAND, *map(str, args)], capture_output=True, check=False, timeout=60, **options
    )


# help and version


def test_help_names_every_verb_in_the_order_of_use(cli):
    text = cli("--help").out
    places = [text.index(f"│ {verb} ") for verb in VERBS]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "verb", [*VERBS, "run tabular", "fit tabular", "run identity", "fit identity", "prior train"]
)
def test_help_of_each_verb_shows_flags_and_examples(cli, verb):
    shown = cli(*verb.split(), "--help")
    assert shown.code == 0
    assert verb in ("run", "fit", "prior") or ("--json" in shown.out and "Examples:" in shown.out)


def test_the_version_is_shown(cli):
    assert cli("--version").out == f"reinforge {reinforge.__version__}\n"


def test_light_verbs_load_neither_torch_nor_pandas():
    code = (
        "import sys; from reinforge.cli import main; main(['--help']); main(['doctor']);"
        "main(['verify', '/nowhere']); main(['compare', '/nowhere']); main(['run', 'x']);"
        "sys.exit(len({'torch', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == 0


def test_no_verb_at_all_shows_the_help(cli):
    shown = cli()
    assert "Commands" in shown.out + shown.err
    assert "Traceback" not in shown.err


# exit codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReinforgeError("x"), 1),
        (KeyError("x"), 1),
        (RuntimeError("x"), 1),
        (GateError("x"), 3),
        (ResourceError("x"), 4),
        (MemoryError("x"), 4),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 4),
        (OSError(28, "No space left on device", "runs/a"), 4),
        (OSError(12, "Cannot allocate memory"), 4),
        (OSError(13, "Permission denied", "runs/a"), 2),
        (ModuleNotFoundError("x", name="lightgbm"), 2),
        (ModuleNotFoundError("x", name="reinforge.nowhere"), 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_one_line(cli, failing, error, code):
    failing(error)
    result = cli("doctor")
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1


def test_a_missing_extra_is_named_with_its_exact_install_line(cli, failing):
    failing(ModuleNotFoundError("no", name="lightgbm"))
    assert "pip install 'reinforge[lightgbm]'" in cli("doctor").err


def test_only_debug_shows_a_traceback(cli, failing):
    failing(KeyError("x"))
    assert "Traceback" not in cli("doctor").err
    assert "--debug" in cli("doctor").err
    assert "Traceback" in cli("doctor", "--debug").err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nonsense"], "nonsense"),
        (["run", "tabulr", "x.csv"], "unknown system 'tabulr'; this version has tabular"),
        (["fit", "subject", "x"], "this version has tabular"),
        (["run", "tabular", "x.csv"], "--out"),
        (["run", "tabular", "--out", "o"], "which table"),
        (["run", "tabular", "x.csv", "--out", "o", "--bogus"], "reinforge run tabular --help"),
        (["run", "tabular", "x.csv", "--out", "o", "--holdout", "x"], "--holdout"),
        (["run", "tabular", "x.csv", "--out", "o", "--set", "n_stps=2"], "model.n_steps"),
        (["run", "tabular", "x.csv", "--out", "o", "--config", "c.yaml"], "c.yaml"),
        (["run", "tabular", "x.csv", "--out", "o", "--schema", "s.yaml"], "s.yaml"),
        (["run", "tabular", "x.csv", "--out", "o", "--require", "auc=1"], "--require"),
        (["run", "tabular", "x.csv", "--out", "o"], "x.csv"),
        (["sample", "o", "-n", "-3"], "o"),
        (["sample", "nowhere"], "nowhere"),
        (["evaluate", "nowhere"], "nowhere"),
        (["evaluate"], "holdout is needed"),
        (["evaluate", "--train", "a.csv", "--synthetic", "b.csv"], "holdout is needed"),
        (["evaluate", "--train", "a", "--holdout", "b", "--synthetic", "c"], "--out"),
        (["report", "nowhere"], "nowhere"),
        (["compare", "nowhere"], "nowhere"),
        (["verify", "nowhere"], "nowhere"),
        (["demo", "--set", "evaluate.level=deep"], "evaluate.level"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2_and_leaves_nothing(cli, tmp_path, args, said):
    result = cli(*args)
    assert result.code == 2
    assert said in result.err
    assert result.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused_before_the_table_is_read(cli, tmp_path):
    (tmp_path / "o").write_text("mine")
    result = cli("run", "tabular", "missing.csv", "--out", "o")
    assert (result.code, "is a file" in result.err) == (2, True)
    assert (tmp_path / "o").read_text() == "mine"


# JSON


@pytest.mark.parametrize("args", [["doctor"], ["verify", "nowhere"], ["nonsense"], ["--version"]])
def test_json_is_exactly_one_object_on_stdout_whatever_happens(cli, args):
    result = cli(*args, "--json")
    answer = json.loads(result.out)
    assert answer["exit_code"] == result.code
    assert answer["ok"] == (result.code == 0)
    assert (result.code == 0) or answer["error"]["message"]


def test_what_a_library_prints_stays_out_of_json(cli, monkeypatch):
    def chatty():
        sys.stdout.write("by the way\n")
        return []

    monkeypatch.setattr("reinforge.cli.verbs_look.facts", chatty)
    result = cli("doctor", "--json")
    assert json.loads(result.out)["ok"]
    assert "by the way" in result.err


def test_json_tells_the_verb_and_the_error(cli):
    answer = json.loads(cli("verify", "nowhere", "--json").out)
    assert answer["verb"] == "verify"
    assert answer["error"]["type"] == "InputError"


# doctor


def test_the_doctor_names_every_dependency_and_the_machine():
    found = {fact.name for fact in facts()}
    assert {"reinforge", "python", "torch", "pandas", "cores", "memory", "disk", "gpu"} <= found


def test_the_doctor_gives_the_install_line_of_a_missing_extra(cli, monkeypatch):
    import importlib.metadata

    version = importlib.metadata.version

    def without_lightgbm(name):
        if name == "lightgbm":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("importlib.metadata.version", without_lightgbm)
    result = cli("doctor")
    assert result.code == 0
    assert "reinforge[lightgbm]" in result.out.replace("\n", "")


def test_the_doctor_fails_when_a_dependency_is_missing(cli, monkeypatch):
    from reinforge.cli.doctor import Fact

    lacking = [Fact("torch", "missing", ok=False, remedy="pip install torch")]
    monkeypatch.setattr("reinforge.cli.verbs_look.facts", lambda: lacking)
    result = cli("doctor")
    assert (result.code, "pip install torch" in result.err) == (2, True)


# surroundings


def test_the_real_process_returns_the_exit_code():
    assert process("verify", "/nowhere").returncode == 2
    assert process("--version").returncode == 0


def test_a_plain_terminal_a_strange_locale_and_no_home_are_enough(tmp_path):
    surroundings = {
        "PATH": os.environ["PATH"],
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "HOME": "/proc/nowhere",
        "TERM": "dumb",
    }
    folder = tmp_path / "mit Leerzeichen und ü"
    folder.mkdir()
    card = {"scores": [{"name": "schön <b>[x]", "value": 0.5, "better": "lower"}]}
    (folder / "scorecard.json").write_text(json.dumps(card))
    result = process("compare", folder, env=surroundings, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert b"0.5000" in result.stdout
    assert b"Traceback" not in result.stderr


def test_a_reader_who_goes_away_is_no_traceback():
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [*COMMAND, "doctor"], stdout=write, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(write)
    assert (result.returncode, result.stderr) == (141, b"")


def test_a_full_disk_behind_stdout_is_exit_code_4():
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*COMMAND, "doctor", "--json"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert result.returncode == 4
    assert b"disk is full" in result.stderr
    assert b"Traceback" not in result.stderr
