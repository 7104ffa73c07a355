"""Settings files: plain YAML values only, so that no file can run code or fill the memory."""

from pathlib import Path
from typing import Any

import yaml

from reinforge.errors import InputError

_LARGEST_BYTES = 1_000_000
_MOST_ALIASES = 20  # a bomb needs many; a hand-written file hardly any


class _PlainLoader(yaml.SafeLoader):
    """The safe loader, with a cap on aliases and no silently overwritten keys."""

    n_aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Count aliases: each may double what came before."""
        if self.check_event(yaml.AliasEvent):
            self.n_aliases += 1
            if self.n_aliases > _MOST_ALIASES:
                mark = self.peek_event().start_mark
                raise yaml.constructor.ConstructorError(
                    None, None, f"more than {_MOST_ALIASES} aliases; write the values out", mark
                )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a key that is given twice: one of the two would be lost."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is given twice", key.start_mark
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def parse_yaml(text: str, *, origin: str) -> Any:
    """Read YAML text as plain values.

    Args:
        text: The YAML text.
        origin: Where it came from, for the error.

    Raises:
        InputError: It is no YAML, it holds a tag such as `!!python/object`, or too many aliases.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        if "could not determine a constructor" in problem:
            problem = f"{problem.partition('tag ')[2]} is a tag; only plain values are read"
        raise InputError(f"{origin}:{line} {problem}.") from None
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply; settings need two levels.") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a settings file (YAML or JSON) as a mapping.

    Raises:
        InputError: The file is missing, not text, too large, or not a mapping.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a YAML file.") from None
    if len(content) > _LARGEST_BYTES:
        raise InputError(f"{path}: {len(content):,} bytes are too many for settings (limit 1 MB).")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8.") from None
    values = parse_yaml(text, origin=str(path))
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InputError(f"{path}: wanted `key: value` lines with text keys, got {_kind(values)}.")
    return values


def _kind(value: Any) -> str:
    return "keys that are no text" if isinstance(value, dict) else f"a {type(value).__name__}"
