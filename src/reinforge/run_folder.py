"""The folder of one run: where each artefact lives, and whether it is still whole.

config.json      resolved settings, package version, digest of the data; never a row of it
model/           weights and schema
checkpoint/      what `--resume` needs
history.jsonl    a line a step
recogniser/      of identities: the network that rewards
pictures.png     of identities: generated pictures, the cold start's beside the last ones
transformer/     of a prior: with scheduler/ and prior.json, what `--prior` takes
synthetic/       drawn rows, or pictures in one folder an identity
newcomers/       of identities: pictures of people who do not exist, as the arms saw them
arms/            of identities: the recogniser of each arm; arms/selected is the one to use
judge/           of identities: the network that judged, where none was brought
scorecard.json   scores
report.html      the report; of identities it may show real pictures
releasable.html  of identities: the report without real pictures and names
manifest.json    SHA-256 of all of these
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import reinforge
from reinforge.errors import InputError, ResourceError
from reinforge.files import sha256_file, write_json
from reinforge.run_lock import LOCK

FORMAT = 1  # of config.json and manifest.json; a newer one is refused
ARTEFACTS = (
    "config.json",
    "model",
    "checkpoint",
    "history.jsonl",
    "recogniser",
    "calibration",
    "arms",
    "judge",
    "pictures.png",
    "transformer",
    "scheduler",
    "prior.json",
    "synthetic",
    "newcomers",
    "scorecard.json",
    "report.html",
    "releasable.html",
)


@dataclass(frozen=True)
class RunFolder:
    """Names of what a run leaves behind."""

    path: Path

    @property
    def config(self) -> Path:
        """Resolved settings."""
        return self.path / "config.json"

    @property
    def model(self) -> Path:
        """Folder of weights and schema."""
        return self.path / "model"

    @property
    def history(self) -> Path:
        """A line a step."""
        return self.path / "history.jsonl"

    @property
    def rows(self) -> Path:
        """The synthetic rows that the run's scorecard judges."""
        return self.path / "synthetic" / "rows.parquet"

    @property
    def pictures(self) -> Path:
        """The folder of the synthetic pictures of a run on identities."""
        return self.path / "synthetic"

    @property
    def newcomers(self) -> Path:
        """The folder of the pictures of people who do not exist that a run's arms learnt from."""
        return self.path / "newcomers"

    @property
    def sheet(self) -> Path:
        """Generated pictures of a few identities, the cold start's beside the last ones."""
        return self.path / "pictures.png"

    @property
    def scorecard(self) -> Path:
        """Scores."""
        return self.path / "scorecard.json"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def releasable(self) -> Path:
        """The report on identities without real pictures and names."""
        return self.path / "releasable.html"

    @property
    def arms(self) -> Path:
        """The recogniser of each arm, a folder each."""
        return self.path / "arms"

    @property
    def judge(self) -> Path:
        """The network that judged, where it was trained for that."""
        return self.path / "judge"

    @property
    def manifest(self) -> Path:
        """Digests of all the others."""
        return self.path / "manifest.json"


@dataclass(frozen=True)
class Finding:
    """What `verify` found about one file."""

    path: str
    state: Literal["ok", "changed", "missing", "unlisted"]


def existing(path: Path) -> RunFolder:
    """The folder of a run that was made earlier.

    Raises:
        InputError: The path is missing or holds no run.
    """
    folder = RunFolder(path)
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise InputError(f"{path}: wanted the folder of a run, but it {what}.")
    if not folder.config.is_file():
        raise InputError(
            f"{path}: holds no config.json, so it is not the folder of a run; "
            "make one with `reinforge run tabular FILE --out FOLDER`."
        )
    return folder


def check_place(
    path: Path, *, resume: bool = False, overwrite: bool = False, inputs: tuple[Path, ...] = ()
) -> RunFolder:
    """See that a run may be written here, without touching anything.

    Args:
        path: The wanted folder.
        resume: Go on with the run that lies there.
        overwrite: Replace the run that lies there.
        inputs: Files that the run reads, which must survive it.

    Raises:
        InputError: A file is in the way, the folder holds something else, or an input lies in it.
    """
    if resume and overwrite:
        raise InputError("--resume goes on with a run, --overwrite discards it: give one of them.")
    resolved = path.resolve()
    for place in (resolved, *resolved.parents):
        if place.exists() and not place.is_dir():
            raise InputError(f"{path}: {place} is a file, not a folder; choose another --out.")
    for source in inputs:
        _check_apart(path, source)
    if resolved.is_dir():
        _check_content(path, resume=resume, overwrite=overwrite)
    return RunFolder(path)


def _check_apart(path: Path, source: Path) -> None:
    """Refuse an input that lies where artefacts are written."""
    inside = source.resolve()
    if any(inside.is_relative_to(path.resolve() / name) for name in ARTEFACTS):
        raise InputError(
            f"{path}: the input {source} lies in it and would be lost; choose another --out."
        )


def _check_content(path: Path, *, resume: bool, overwrite: bool) -> None:
    try:
        content = {entry.name for entry in path.iterdir()} - {LOCK}
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); choose another --out."
        ) from None
    if not content:
        return
    is_run = "config.json" in content
    has_made_something = content != {"config.json"}
    if is_run and has_made_something and not (resume or overwrite):
        raise InputError(
            f"{path}: holds a run already; add --resume to go on or --overwrite to discard it."
        )
    if not is_run:
        raise InputError(f"{path}: holds files that are no run; choose an empty or new folder.")


def require_space(path: Path, n_bytes: int) -> None:
    """Refuse to start what the disk cannot hold.

    Raises:
        ResourceError: Fewer than `n_bytes` are free.
    """
    place = next(place for place in (path.resolve(), *path.resolve().parents) if place.exists())
    free = shutil.disk_usage(place).free
    if free < n_bytes:
        raise ResourceError(
            f"{path}: the run may need {n_bytes:,} bytes and the disk has {free:,} free; "
            "free some space or choose another --out."
        )


def clear(folder: RunFolder) -> None:
    """Delete a run's artefacts, and nothing else that lies in its folder."""
    for name in (*ARTEFACTS, "manifest.json"):
        place = folder.path / name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def read_config(folder: RunFolder) -> dict[str, Any]:
    """Read config.json.

    Raises:
        InputError: It is damaged, or a newer version wrote it.
    """
    return _read(folder.config)


def require_system(
    folder: RunFolder, config: dict[str, Any], system: str, *, otherwise: str = ""
) -> None:
    """Refuse a run of another system.

    Args:
        folder: The run's.
        config: Its config.json.
        system: "tabular", "identity" or "prior".
        otherwise: What to say then, beyond what the run is.

    Raises:
        InputError: The run is of another one.
    """
    found = str(config.get("system"))
    if found != system:
        what = {"tabular": "tables", "identity": "identities", "prior": "a prior"}
        wanted = otherwise or f"one of {what[system]} was wanted."
        raise InputError(f"{folder.path}: is a run of {what.get(found, repr(found))}; {wanted}")


def write_config(folder: RunFolder, content: dict[str, Any]) -> None:
    """Write config.json with the format and the package's version."""
    write_json(folder.config, {"format": FORMAT, "reinforge": reinforge.__version__, **content})


def write_manifest(folder: RunFolder) -> None:
    """Write down the digest of every artefact."""
    files = {
        name: {
            "sha256": sha256_file(folder.path / name),
            "bytes": (folder.path / name).stat().st_size,
        }
        for name in _artefacts(folder)
    }
    write_json(
        folder.manifest, {"format": FORMAT, "reinforge": reinforge.__version__, "files": files}
    )


def verify(folder: RunFolder) -> list[Finding]:
    """Compare every artefact with its digest in the manifest.

    Raises:
        InputError: There is no manifest, or it is damaged.
    """
    files = _read(folder.manifest).get("files")
    if not isinstance(files, dict) or not all(_is_entry(*item) for item in files.items()):
        raise InputError(f"{folder.manifest}: damaged; a list of files with digests was wanted.")
    found = [
        Finding(name, _state(folder.path / name, entry)) for name, entry in sorted(files.items())
    ]
    return found + [Finding(name, "unlisted") for name in _artefacts(folder) if name not in files]


def _state(path: Path, entry: dict[str, Any]) -> Literal["ok", "changed", "missing"]:
    if not path.is_file():
        return "missing"
    return "ok" if sha256_file(path) == entry["sha256"] else "changed"


def _is_entry(name: str, entry: Any) -> bool:
    """Whether a manifest's line names a file inside the folder and a digest."""
    place = PurePosixPath(name)
    inside = not place.is_absolute() and ".." not in place.parts
    return inside and isinstance(entry, dict) and isinstance(entry.get("sha256"), str)


def _artefacts(folder: RunFolder) -> list[str]:
    """Files of the run, relative to its folder; those still being written are left out."""
    roots = [folder.path / name for name in ARTEFACTS]
    files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
    return sorted(
        file.relative_to(folder.path).as_posix()
        for file in files
        if file.is_file() and not (file.name.startswith(".") and file.name.endswith(".tmp"))
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{path}: missing; the run has not ended, or the file was deleted."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); restore it or run again.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: damaged; wanted a JSON object, got {type(content).__name__}.")
    if content.get("format") != FORMAT:
        raise InputError(
            f"{path}: format {content.get('format')!r} is not {FORMAT}, which this version reads; "
            "upgrade reinforge."
        )
    return content
