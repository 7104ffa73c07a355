"""What this machine offers: versions, cores, memory, disk, extras, GPU; without importing torch."""

import importlib.metadata
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import reinforge

_EXTRA = re.compile(r"^([\w.-]+).*;\s*extra\s*==\s*['\"](\w+)['\"]")
_NAME = re.compile(r"^[\w.-]+")


@dataclass(frozen=True)
class Fact:
    """One line of the doctor's findings."""

    name: str
    value: str
    ok: bool = True
    remedy: str = ""


def facts() -> list[Fact]:
    """Everything worth knowing before a run, and before a bug report."""
    return [
        Fact("reinforge", reinforge.__version__),
        Fact("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *_dependencies(),
        Fact("cores", str(n_cores())),
        _memory(),
        Fact("disk", f"{shutil.disk_usage('.').free / 1e9:.1f} GB free in {Path.cwd()}"),
        _gpu(),
        *_extras(),
    ]


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes that this process may still take; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return min([*found, *_cgroup_limit()]) if found else None


def _cgroup_limit() -> list[int]:
    """The container's memory limit, if there is one."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (Path("/sys/fs/cgroup") / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            return [int(text)]
    return []


def _memory() -> Fact:
    free = free_memory()
    return Fact("memory", "unknown" if free is None else f"{free / 1e9:.1f} GB free")


def _dependencies() -> list[Fact]:
    """Each required package: its version, or how to get it."""
    wanted = [line for line in _requirements() if "extra ==" not in line]
    names = [found.group() for line in wanted if (found := _NAME.match(line))]
    return [_package(name, f"pip install {name}", required=True) for name in names]


def _extras() -> list[Fact]:
    """Each optional package that users choose (not those of developers)."""
    found = [match.groups() for line in _requirements() if (match := _EXTRA.match(line))]
    return [
        _package(name, f"pip install 'reinforge[{extra}]'", required=False)
        for name, extra in found
        if extra != "dev"
    ]


def _requirements() -> list[str]:
    try:
        return importlib.metadata.requires("reinforge") or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _package(name: str, remedy: str, *, required: bool) -> Fact:
    try:
        return Fact(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        missing = "missing" if required else "not installed (optional)"
        return Fact(name, missing, ok=not required, remedy=remedy)


def _gpu() -> Fact:
    """Whether the system has an NVIDIA driver; torch is not asked, it loads slowly."""
    driver = Path("/proc/driver/nvidia/version")
    if not driver.exists() and shutil.which("nvidia-smi") is None:
        return Fact("gpu", "none found; tables train on the CPU")
    torch_fact = _package("torch", "", required=True)
    built = "torch is a CPU build" if "+cpu" in torch_fact.value else "torch may use it"
    return Fact("gpu", f"NVIDIA driver found; {built}")
