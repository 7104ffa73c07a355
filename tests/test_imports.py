"""The plan of the house, held: what may import what, and that an import stays quiet."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import reinforge

SOURCE = Path(reinforge.__file__).parent
FLOORS = {
    "errors": 0,
    "randomness": 0,
    "schema": 1,
    "records": 1,
    "settings": 1,
    "files": 1,
    "policy_gradient": 1,
    "measure": 1,
    "run_lock": 2,
    "data": 2,
    "report": 2,
    "training": 2,
    "learner_state": 2,
    "processes": 2,
    "generators": 3,
    "recognition": 3,
    "run_folder": 3,
    "evaluation": 4,
    "systems": 4,
    "synthesizers": 5,
    "cli": 6,
    "__main__": 7,
}
FILES = sorted(SOURCE.rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))


def room_of(module):
    """The room of a dotted name inside the package, and the system where it is one."""
    parts = module.split(".")[1:]
    return parts[0] if parts else "", ".".join(parts[:2])


def is_typing_guard(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(tree):
    """Modules that a file imports anywhere, those for type checkers alone left out."""
    for node in ast.iter_child_nodes(tree):
        if is_typing_guard(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "reinforge":
                yield from (f"reinforge.{alias.name}" for alias in node.names)
            else:
                yield node.module
        yield from imports_of(node)


def own_room(path):
    return room_of(".".join(["reinforge", *path.relative_to(SOURCE).with_suffix("").parts]))


@every_file
def test_imports_run_downwards_only(path):
    room, system = own_room(path)
    if room == "__init__":
        return
    assert room in FLOORS, f"give the room {room!r} a floor"
    for module in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        if not module.startswith("reinforge.") or module == "reinforge.__version__":
            continue
        other, other_system = room_of(module)
        if other == room:
            assert room != "systems" or other_system == system, f"{module}: another system"
        else:
            assert FLOORS[other] <= FLOORS[room], f"{module} stands on a higher floor"
            assert FLOORS[other] < FLOORS[room] or FLOORS[room] <= 2, f"{module}: same floor"


@every_file
def test_the_judge_is_not_the_teacher(path):
    room, _ = own_room(path)
    if room in ("systems", "synthesizers", "training", "policy_gradient"):
        modules = list(imports_of(ast.parse(path.read_text(encoding="utf-8"))))
        assert not [name for name in modules if name.startswith("reinforge.evaluation")]


@every_file
def test_the_report_knows_plain_dicts_alone(path):
    room, _ = own_room(path)
    if room == "report":
        modules = list(imports_of(ast.parse(path.read_text(encoding="utf-8"))))
        banned = ("reinforge.evaluation", "reinforge.data", "torch", "pandas")
        assert not [name for name in modules if name.startswith(banned)]


@every_file
def test_no_file_draws_from_a_global_generator_or_makes_one_when_it_is_loaded(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert "random" not in set(imports_of(tree))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name.startswith("np.random."):
            assert name in ("np.random.Generator", "np.random.Philox"), name
        assert name not in ("torch.manual_seed", "torch.seed", "np.random.seed"), name
        if id(node) not in inside:
            assert not name.endswith(("generator", "default_rng", "Generator")), name


CONVERTER = SOURCE / "generators" / "convert.py"  # the one file that opens pickles of others
ERROR_OF_PICKLE = "from pickle import UnpicklingError"


def is_torch_load(call):
    return ast.unparse(call.func) == "torch.load"


def reads_tensors_alone(call):
    return any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in call.keywords)


class WithoutCalls(ast.NodeTransformer):
    def __init__(self, calls):
        self.calls = {id(call) for call in calls}

    def visit_Call(self, node):
        return ast.Constant(None) if id(node) in self.calls else self.generic_visit(node)


def test_a_load_is_allowed_to_the_converter_only_when_it_reads_tensors_alone():
    loose, strict, undone = (
        ast.parse(f"torch.load(path{kept})").body[0].value
        for kept in ("", ", weights_only=True", ", weights_only=False")
    )
    assert reads_tensors_alone(strict)
    assert not reads_tensors_alone(loose)
    assert not reads_tensors_alone(undone)


@every_file
def test_nothing_that_runs_code_from_a_file_is_used(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    banned = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
    if path == CONVERTER:
        loads = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and is_torch_load(n)]
        assert all(reads_tensors_alone(call) for call in loads)
        tree = ast.Module([n for n in tree.body if ast.unparse(n) != ERROR_OF_PICKLE], [])
        tree = WithoutCalls(loads).visit(tree)
    assert not banned & {name.partition(".")[0] for name in imports_of(tree)}
    calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    if "yaml.load" in calls:
        assert "SafeLoader" in path.read_text(encoding="utf-8")
    assert not calls & {"eval", "exec", "compile", "torch.load", "torch.save"}


def loaded_after(code):
    """Modules that a fresh interpreter has loaded after running a line."""
    asked = f"import sys, warnings; warnings.simplefilter('error'); {code}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stderr == ""
    return set(run.stdout.split())


def test_import_reinforge_loads_nothing_heavy():
    heavy = {"torch", "pandas", "numpy", "sklearn", "matplotlib", "pydantic", "scipy", "pyarrow"}
    assert not heavy & loaded_after("import reinforge; dir(reinforge)")


def test_what_needs_no_torch_does_not_load_it():
    code = (
        "from reinforge import Schema, InputError, read_table, infer_schema, split_table, Split; "
        "import reinforge.randomness as r; r.generator(0, 'x'); import reinforge.report.html"
    )
    assert "torch" not in loaded_after(code)


def test_settings_of_identities_are_checked_without_a_diffusion_model():
    loaded = loaded_after("import reinforge.systems.identity.config")
    assert not {"diffusers", "transformers", "peft"} & loaded


def test_every_public_name_has_a_home():
    for name in reinforge.__all__:
        assert getattr(reinforge, name) is not None
    assert set(dir(reinforge)) == set(reinforge.__all__)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Synthesizer'"):
        reinforge.Synthesizer  # noqa: B018
