"""What the user asked for: flags over --set over --config over a run's own over defaults."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reinforge.cli.settings import Kind, RunSettings, Settings, System, assignment, checked, merged
from reinforge.cli.yaml_file import read_yaml
from reinforge.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Settings as they were given, before defaults."""

    flags: Settings = field(default_factory=dict)
    assignments: tuple[str, ...] = ()
    config: Path | None = None
    schema: Path | None = None

    def settings(self, kind: type[Kind] = RunSettings) -> Kind:  # type: ignore[assignment]
        """All settings of a new run of a system."""
        return checked(self._given(kind), kind)

    def over(
        self,
        saved: Settings,
        *,
        folder: Path,
        kind: type[Kind] = RunSettings,  # type: ignore[assignment]
    ) -> Kind:
        """All settings of a run that exists: how it was fitted stays, the rest may change.

        Args:
            saved: The settings in its config.json.
            folder: The run's folder, for the error.
            kind: Of the run's system.

        Raises:
            InputError: A setting is asked for that differs from what the run was fitted with.
        """
        before = checked(saved, kind)
        after = checked(merged(saved, self._given(kind)), kind)
        for section in kind.fitted:
            old, new = before.model_dump()[section], after.model_dump()[section]
            if old != new:
                raise InputError(
                    f"{folder}: was fitted with {_difference(section, old, new)}; "
                    "leave that out, or start a new run."
                )
        return after

    def _given(self, kind: type[System]) -> Settings:
        layers = [read_yaml(self.config)] if self.config else []
        layers += [assignment(text, kind) for text in self.assignments]
        if self.schema:
            from reinforge.data.infer import load_overrides

            layers.append({"data": {"columns": load_overrides(self.schema)}})
        return merged(*layers, self.flags)


def _difference(section: str, old: Any, new: Any) -> str:
    if not isinstance(old, dict):
        return f"{section} {old!r}, not {new!r}"
    key = next(key for key in {**old, **new} if old.get(key) != new.get(key))
    return f"{section}.{key} {old.get(key)!r}, not {new.get(key)!r}"
