"""Folders of pictures: how they are laid out, and which identity each picture shows.

Hidden files, `Thumbs.db` and the like, `__MACOSX`, links that lead back up, and files whose ending
is no picture's are passed over. Files with a picture's ending, supported or not, are candidates.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from reinforge.data.image_reading import Candidate
from reinforge.errors import InputError

Layout = Literal["folders", "groups", "market", "manifest", "table", "npz"]
MANIFEST = "manifest.jsonl"
REID_PARTS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
RFW_GROUPS = frozenset({"African", "Asian", "Caucasian", "Indian"})
_PARTS = frozenset(
    "train training val valid validation test testing query gallery probe holdout".split()
    + list(REID_PARTS.values())
)
_MARKET = re.compile(r"(-?\d+)_c(\d+)")
_ENDINGS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .gif .webp .tif .tiff .pgm .ppm .pnm .pbm "  # supported
    ".svg .pdf .heic .heif .hif .avif .jp2 .jxl .psd .ai .eps .ico .cr2 .nef .arw .dng".split()
)
_TABLES = frozenset({".csv", ".tsv", ".parquet", ".pq"})
_ARCHIVES = frozenset(".zip .tar .gz .tgz .bz2 .xz .7z .rar .zst".split())
_OTHER = {
    ".bin": "encoded pairs; read them with read_pairs",
    ".rec": "an MXNet record file; unpack it to one folder an identity",
    ".lst": "an MXNet list; unpack its record file to one folder an identity",
    ".lmdb": "an LMDB data base; unpack it to one folder an identity",
    ".tfrecord": "a TensorFlow record file; unpack it to one folder an identity",
    ".npy": "one array; save it with its labels as .npz (arrays images and labels)",
}


def detect_layout(path: str | Path) -> Layout:
    """Say in one word how pictures are laid out at a path.

    `folders`: one folder an identity. `groups`: one folder a group, in it one an identity.
    `market`: files named IDENTITY_cCAMERA... (Market-1501, CUHK03-NP), or a folder of its parts.
    `manifest`: a folder that `write_images` wrote. `table`: a CSV or Parquet table. `npz`: arrays.

    Raises:
        InputError: There is nothing, or more than one reading is possible; the message says which
            `layout=` settles it.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; give a folder of pictures, a table or an NPZ.")
    if not path.is_dir():
        return _layout_of_file(path)
    if (path / MANIFEST).is_file():
        return "manifest"
    if (path / REID_PARTS["train"]).is_dir():
        return "market"
    pictures, folders = _entries(path)
    inner = {folder: _entries(folder) for folder in folders}
    with_pictures = [folder for folder, (found, _) in inner.items() if found]
    if pictures:
        return _layout_of_pictures(path, pictures, with_pictures)
    if with_pictures:
        return _layout_of_folders(path, with_pictures)
    return _layout_of_nested(path, {folder: inside for folder, (_, inside) in inner.items()})


def _layout_of_file(path: Path) -> Layout:
    ending = path.suffix.lower()
    if ending == ".npz":
        return "npz"
    if ending in _TABLES:
        return "table"
    if path.name == MANIFEST:
        raise InputError(f"{path} is a manifest; give its folder, {path.parent}.")
    if ending in _ARCHIVES:
        raise InputError(f"{path} is an archive; unpack it first and give the folder.")
    if ending in _OTHER:
        raise InputError(f"{path} is {_OTHER[ending]}.")
    raise InputError(
        f"{path} is one file; give a folder of pictures, a table (.csv, .tsv, .parquet) or an .npz."
    )


def _layout_of_pictures(path: Path, pictures: list[Path], folders: list[Path]) -> Layout:
    n_named = sum(_MARKET.match(picture.name) is not None for picture in pictures)
    if folders:
        raise InputError(
            f"{path}: pictures lie beside folders of pictures ({pictures[0].name!r} and "
            f"{folders[0].name!r}); layout='folders' reads the folders alone, layout='market' the "
            "pictures alone, by their names."
        )
    if n_named == len(pictures):
        return "market"
    if n_named:
        stranger = next(picture for picture in pictures if not _MARKET.match(picture.name))
        raise InputError(
            f"{path}: {n_named} of {len(pictures)} pictures are named IDENTITY_cCAMERA..., "
            f"{stranger.name!r} is not; layout='market' leaves such ones out."
        )
    raise InputError(
        f"{path}: nothing tells whom {pictures[0].name!r} shows; put pictures into one folder an "
        "identity, name them as Market-1501 does (0002_c1s1_000451_03.jpg), or give a table with "
        "the columns path and identity."
    )


def _layout_of_folders(path: Path, folders: list[Path]) -> Layout:
    parts = [folder.name for folder in folders if folder.name.lower() in _PARTS]
    if parts and len(parts) == len(folders):
        raise InputError(
            f"{path}: the folders {', '.join(map(repr, parts[:4]))} look like parts of a set, not "
            f"like identities; give one of them ({folders[0]}), or layout='folders' if they are "
            "identities."
        )
    return "folders"


def _layout_of_nested(path: Path, inner: dict[Path, list[Path]]) -> Layout:
    for outer, folders in inner.items():
        if (outer / REID_PARTS["train"]).is_dir():
            raise InputError(f"{path}: give one version of the set, e.g. {outer}.")
        if any(_entries(folder)[0] for folder in folders):
            if {folder.name for folder in inner} == RFW_GROUPS:
                return "groups"
            raise InputError(
                f"{path}: pictures lie two folders deep ({outer.name}/{folders[0].name}); give "
                f"layout='groups' if the outer folders are groups of people, else give one of "
                f"them, e.g. {outer}."
            )
    raise InputError(
        f"{path} holds no pictures, nor do its folders; give one folder an identity with JPEG, "
        "PNG, BMP, GIF, WebP, TIFF or PNM files in it."
    )


def folder_candidates(path: Path, layout: Literal["folders", "groups"]) -> list[Candidate]:
    """Pictures in one folder an identity, or those inside one folder a group."""
    groups: Sequence[Path | None] = _entries(path)[1] if layout == "groups" else [None]
    candidates = []
    for group in groups:
        for folder in _entries(group or path)[1]:
            for picture in _entries(folder)[0]:
                candidates.append(
                    Candidate(
                        source=str(picture),
                        file=picture,
                        identity=folder.name,
                        group=None if group is None else group.name,
                    )
                )
    if layout == "groups":
        _refuse_shared_names(candidates)
    return candidates


def _refuse_shared_names(candidates: list[Candidate]) -> None:
    """Two groups that both have a folder `0001` would become one person."""
    group_of: dict[str, str | None] = {}
    for candidate in candidates:
        other = group_of.setdefault(candidate.identity, candidate.group)
        if other != candidate.group:
            raise InputError(
                f"identity {candidate.identity!r} lies in the groups {other!r} and "
                f"{candidate.group!r}; rename one if they are two people."
            )


def market_candidates(path: Path) -> list[Candidate]:
    """Pictures whose names tell identity and camera, junk (identity -1) left out.

    Identity 0, the distractors of the gallery, is among them: what happens to it depends on the
    part (see `read_reid`).
    """
    candidates = []
    for picture in _entries(path)[0]:
        told = _MARKET.match(picture.name)
        if told is None:
            refused = "its name does not start with IDENTITY_cCAMERA"
            candidate = Candidate(source=str(picture), identity="", refused=refused)
        elif int(told[1]) < 0:
            continue
        else:
            candidate = Candidate(
                source=str(picture), file=picture, identity=told[1], camera=int(told[2])
            )
        candidates.append(candidate)
    return candidates


def known_layout(layout: str, path: Path) -> Layout:
    """The layout asked for, or the one found.

    Raises:
        InputError: The word is not known.
    """
    if layout == "auto":
        return detect_layout(path)
    for name in get_args(Layout):
        if layout == name:
            return name
    raise InputError(f"layout={layout!r} is not known; use auto, {', '.join(get_args(Layout))}.")


def is_ignored(name: str) -> bool:
    """Whether a file or folder is what an operating system leaves behind."""
    return name.startswith(".") or name.lower() in ("thumbs.db", "desktop.ini", "__macosx")


def _entries(path: Path) -> tuple[list[Path], list[Path]]:
    """Pictures and folders directly inside a folder, each sorted by name."""
    pictures, folders = [], []
    above = path.resolve()
    try:
        found = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{path} cannot be listed: {error.strerror}.") from error
    for entry in found:
        if is_ignored(entry.name):
            continue
        inside = Path(entry.path)
        try:
            is_folder = entry.is_dir()
        except OSError:  # a link in a circle
            continue
        if not is_folder:
            if inside.suffix.lower() in _ENDINGS:
                pictures.append(inside)
        elif not (entry.is_symlink() and above.is_relative_to(inside.resolve())):
            folders.append(inside)
    return pictures, folders
