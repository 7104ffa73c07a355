"""The releasable edition: what names a person or a file never reaches the page.

Everything foreign is cleaned before the page is arranged, and kept only where it is known to be
harmless: numbers, known names of scores, arms and rewards, and text without a private name or a
path. A text that may name a file is left out whole, since the rest of a path may name a person.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reinforge.report.numbers import number
from reinforge.report.picture_catalogue import ARMS, PICTURES
from reinforge.report.picture_words import CURVES, PHASES
from reinforge.report.sphere import SYNTHETIC

LEFT_OUT = "left out of this edition"
_NAME = "(a name)"
_FILE = re.compile(
    r"[^\W\d_]\s*[/\\]|[/\\]\s*[^\W\d_]|[~.][/\\]|\b\w:[/\\]"
    r"|\.(?:jpe?g|png|gif|bmp|tiff?|webp|npz|npy|bin|rec|lst|csv|tsv|parquet|txt|jsonl?|ya?ml|zip|"
    r"tar|gz|h5|mat|pkl|pt|pth|ckpt|safetensors|onnx|html?)\b",
    re.IGNORECASE,
)
_DIGEST = re.compile(r"digest|sha\d|hash|fingerprint|md5", re.IGNORECASE)
_TEXTS = frozenset({"warnings", "not_tested", "sensitive", "groups"})  # lists that are kept
_EVERYONE = (None, "", "all")  # no name of a group, whoever is called so
_LONGEST_LIST = 16  # of numbers: a longer one may be a row of somebody's features


class Cleaner:
    """Cleans text of private names and of paths.

    Args:
        private: Names of people, and anything else that must not be read on the page. A number of
            one or two digits is kept out only where it stands alone: it names nobody.
    """

    def __init__(self, private: Collection[str]) -> None:
        known = {str(name).strip() for name in private} - {""}
        self._alone = known
        words = sorted((n for n in known if not re.fullmatch(r"\d{1,2}", n)), key=len, reverse=True)
        patterns = [pattern for pattern in map(_pattern_of, words) if pattern]
        joined = "|".join(patterns)
        self._names = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.I) if joined else None

    def holds(self, text: object) -> bool:
        """Whether a text holds a private name or may name a file."""
        return self.text(text) != str(text)

    def text(self, text: object) -> str:
        """The text without names; nothing of it where it may name a file."""
        words = str(text)
        if _FILE.search(words):
            return LEFT_OUT
        if words.strip() in self._alone:
            return _NAME
        return self._names.sub(_NAME, words) if self._names else words

    def nested(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Nested settings or context: harmless leaves under harmless keys."""
        found: dict[str, Any] = {}
        for key, value in content.items():
            name = str(key)
            if not self.holds(name) and not _DIGEST.search(name):
                found[name] = self._leaf(name, value)
        return found

    def _leaf(self, key: str, value: object) -> object:
        if isinstance(value, Mapping):
            return self.nested(value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            is_numbers = all(isinstance(each, int | float) for each in value)
            if (is_numbers and len(value) <= _LONGEST_LIST) or key in _TEXTS:
                return [self.text(v) if isinstance(v, str) else v for v in value]
            return f"{len(value)} entries, {LEFT_OUT}"
        return value if isinstance(value, int | float | None) else LEFT_OUT


def _pattern_of(name: str) -> str:
    """A name however it is joined: with spaces, underscores, dots or hyphens, or with nothing."""
    parts = [re.escape(part) for part in re.split(r"[\W_]+", name) if part]
    return r"[\W_]*".join(parts)


def releasable(scorecard: Mapping[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    """A scorecard without anything that shows a real picture or names a person or a file."""
    scores = scorecard.get("scores") or []
    kept = [s for s in scores if s.get("group") in _EVERYONE or not cleaner.holds(s["group"])]
    return {
        "scores": [_score(score, cleaner) for score in kept],
        "context": cleaner.nested(scorecard.get("context") or {}),
        "figures": _figures(scorecard.get("figures") or {}, cleaner),
    }


def _score(score: Mapping[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    name, baseline = str(score.get("name", "")), score.get("baseline") or {}
    meaning = cleaner.text(score.get("meaning") or "")
    return {
        **{key: score.get(key) for key in ("value", "low", "high", "n", "better", "group")},
        "name": name if name in PICTURES.entries else cleaner.text(name),
        "meaning": "" if meaning == LEFT_OUT else meaning,
        "reason": cleaner.text(score.get("reason") or "no reason was given"),
        "baseline": {key: value for key, value in baseline.items() if not cleaner.holds(key)},
    }


def _figures(figures: Mapping[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    """Known figures alone: aggregates, and of the map the points of synthetic pictures."""
    arms = [arm for arm in figures.get("arms") or [] if str(arm.get("arm")) in ARMS]
    curves = [each for each in figures.get("roc") or [] if not cleaner.holds(each.get("name"))]
    return {
        "roc": curves,
        "leakage": figures.get("leakage"),
        "leakage_second": figures.get("leakage_second"),
        "newcomers": figures.get("newcomers"),
        "arms": [arm for arm in arms if not cleaner.holds(arm.get("score"))],
        "front": figures.get("front"),
        "sphere": _synthetic_points(figures.get("sphere")),
    }


def _synthetic_points(raw: object) -> dict[str, list[Any]] | None:
    """The map without real pictures: neither they nor copies of them with a patch blanked."""
    if not isinstance(raw, Mapping):
        return None
    keys = ("points", "kind", "identity")
    rows = zip(*(raw.get(key) or [] for key in keys), strict=False)
    kept = [row for row in rows if row[1] in SYNTHETIC]
    return {key: [row[k] for row in kept] for k, key in enumerate(keys)}


def releasable_history(
    history: Sequence[Mapping[str, Any]], cleaner: Cleaner
) -> list[dict[str, Any]]:
    """Known numbers of a history, its phases, and what the watch over the pixels said."""
    found = []
    for line in history:
        kept = {key: number(line.get(key)) for key in ("step", *CURVES) if key in line}
        alarms = [cleaner.text(alarm) for alarm in line.get("alarms") or []]
        phase = {"phase": line["phase"]} if line.get("phase") in PHASES else {}
        found.append({**kept, **phase, "alarms": alarms})
    return found


def names_of(
    scorecard: Mapping[str, Any], samples: Collection[str], pairs: Sequence[tuple[Any, ...]]
) -> set[str]:
    """Every identity that the arguments of a page name."""
    sphere = (scorecard.get("figures") or {}).get("sphere")
    on_map = sphere.get("identity") or [] if isinstance(sphere, Mapping) else []
    return {*map(str, samples), *map(str, on_map), *(str(pair[3]) for pair in pairs)}
