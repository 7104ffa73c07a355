"""A scorecard that looks like a real one: every tabular score, four groups, twelve columns."""

import math
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

NUMERIC = ("age", "bmi", "systolic", "diastolic", "cholesterol", "heart_rate", "stay_hours")
LEVELS = {
    "sex": ["F", "M"],
    "smoker": ["no", "yes"],
    "ward": ["cardiology", "surgery", "oncology", "(rare)"],
    "pain": ["none", "mild", "moderate", "severe"],
    "outcome": ["0", "1"],
}
GROUPS = ("outliers", "sex=F", "sex=M")

# name -> (value, half width of the interval, better, baselines)
TABULAR: dict[str, tuple[float, float, str, dict[str, float]]] = {
    "s2r_auc": (0.861, 0.034, "higher", {"copy": 0.884, "independent": 0.512}),
    "r2r_auc": (0.884, 0.031, "higher", {}),
    "r2s_auc": (0.902, 0.012, "higher", {"independent": 0.507}),
    "nmi": (0.0013, 0.0009, "lower", {"copy": 0.0, "holdout": 0.0011, "independent": 0.041}),
    "dwd": (0.412, 0.061, "lower", {"copy": 0.0, "holdout": 0.287, "independent": 0.122}),
    "column_distance": (
        0.031,
        0.004,
        "lower",
        {"copy": 0.0, "holdout": 0.024, "independent": 0.011},
    ),
    "association_distance": (
        0.048,
        0.007,
        "lower",
        {"copy": 0.0, "holdout": 0.039, "independent": 0.174},
    ),
    "detection_auc": (0.587, 0.029, "near 0.5", {"holdout": 0.506, "independent": 0.931}),
    "density": (0.942, 0.051, "near 1", {"copy": 1.214, "holdout": 1.002, "independent": 0.311}),
    "coverage": (0.931, 0.022, "higher", {"copy": 1.0, "holdout": 0.951, "independent": 0.402}),
    "membership_auc": (
        0.523,
        0.032,
        "near 0.5",
        {"copy": 1.0, "holdout": 0.498, "independent": 0.501},
    ),
    "membership_tpr_at_1pct_fpr": (
        0.014,
        0.012,
        "lower",
        {"copy": 1.0, "holdout": 0.009, "independent": 0.011},
    ),
    "domias_auc": (0.541, 0.033, "near 0.5", {"copy": 0.998, "holdout": 0.503}),
    "singling_out_risk": (0.012, 0.011, "lower", {"copy": 0.981, "control": 0.008, "naive": 0.004}),
    "linkability_risk": (0.021, 0.015, "lower", {"copy": 0.311, "control": 0.017, "naive": 0.012}),
    "inference_risk": (0.094, 0.081, "lower", {"copy": 0.972, "control": 0.088, "naive": 0.071}),
    "attribute_risk": (0.318, 0.029, "lower", {"copy": 0.941, "control": 0.312, "naive": 0.287}),
    "dcr_share": (0.517, 0.021, "near 0.5", {"copy": 1.0, "holdout": 0.5}),
    "identical_share": (0.0, 0.0, "lower", {"copy": 1.0, "holdout": 0.0}),
}


def score(name: str, **fields: Any) -> dict[str, Any]:
    """One score as `Scorecard.to_dict` writes it."""
    empty = {
        "group": "all",
        "value": None,
        "low": None,
        "high": None,
        "better": "higher",
        "n": None,
    }
    return {"name": name, **empty, "meaning": "", "baseline": {}, "reason": None, **fields}


def _scores() -> list[dict[str, Any]]:
    found = []
    for k, (name, (value, half, better, baseline)) in enumerate(TABULAR.items()):
        for j, group in enumerate(("all", *GROUPS)):
            moved = value + (0.02 * j * (1 if better != "higher" else -1) * (k % 3) / 2 if j else 0)
            wide = half * (1, 3, 1.4, 1.5)[j]
            fields: dict[str, Any] = {
                "value": moved,
                "low": max(moved - wide, 0.0) if half else None,
                "high": moved + wide if half else None,
                "better": better,
                "n": (612, 61, 284, 328)[j],
                "baseline": dict(baseline),
            }
            if group == "outliers" and name.startswith(("r2", "s2r")):
                fields = {"reason": "61 rows hold fewer than 10 of one class."}
            found.append(score(name, group=group, **fields))
    found.append(score("s2r_auc", group="sex=X", reason="3 rows; a group needs 10 to be shown."))
    return found


def _bell(n: int, centre: float, width: float) -> list[float]:
    raw = [math.exp(-(((k + 0.5) / n - centre) ** 2) / (2 * width**2)) for k in range(n)]
    return [value / sum(raw) for value in raw]


def _marginals() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for k, name in enumerate(NUMERIC):
        centre, width = 0.3 + 0.06 * k, 0.12 + 0.02 * (k % 3)
        found.append(
            {
                "column": name,
                "kind": "continuous",
                "labels": [f"{20 + 4 * edge}" for edge in range(21)],
                "train": _bell(20, centre, width),
                "holdout": _bell(20, centre + 0.015, width * 1.05),
                "synthetic": _bell(20, centre - 0.02, width * 0.94),
            }
        )
    for name, labels in LEVELS.items():
        raw = [1 / (k + 1.3) for k in range(len(labels))]
        train = [value / sum(raw) for value in raw]
        moved = [train[0] - 0.03, train[1] + 0.03, *train[2:]]
        found.append(
            {"column": name, "kind": "categorical", "labels": labels}
            | {"train": train, "holdout": moved[:], "synthetic": moved[::-1][: len(moved)][::-1]}
        )
    return found


def _association() -> dict[str, Any]:
    names = [*NUMERIC, *LEVELS]
    n = len(names)
    train = [[1.0 if i == j else 0.8 / (1 + abs(i - j)) for j in range(n)] for i in range(n)]
    synthetic = [
        [v if i == j else v + 0.09 * math.sin(1.7 * (i + j)) for j, v in enumerate(row)]
        for i, row in enumerate(train)
    ]
    return {"columns": names, "train": train, "synthetic": synthetic}


def _roc(name: str, family: str, power: float) -> dict[str, Any]:
    fpr = [0.0, *[10 ** (-3 + 3 * k / 60) for k in range(61)]]
    return {
        "name": name,
        "family": family,
        "fpr": fpr,
        "tpr": [rate**power for rate in fpr],
        "auc": 1 / (1 + power),
    }


def _projection() -> dict[str, Any]:
    def cloud(shift: float) -> list[list[float]]:
        rows = [_bell(24, 0.4 + shift + 0.01 * i, 0.13) for i in range(24)]
        weights = _bell(24, 0.5, 0.16)
        return [
            [w * v if w * v > 0.0004 else 0.0 for v in row]
            for w, row in zip(weights, rows, strict=True)
        ]

    edges = [float(k) for k in range(25)]
    return {"x_edges": edges, "y_edges": edges, "real": cloud(0), "synthetic": cloud(0.03)}


@pytest.fixture
def scorecard() -> dict[str, Any]:
    """A whole scorecard, made anew for every test."""
    return make_scorecard()


def make_scorecard() -> dict[str, Any]:
    """A whole scorecard as `Scorecard.to_dict` writes it."""
    return {
        "scores": _scores(),
        "context": {
            "level": "full",
            "seed": 2,
            "target": "outcome",
            "sensitive": ["sex"],
            "rows": {"train": 2448, "holdout": 612, "synthetic": 5000},
            "columns": {"modelled": [*NUMERIC, *LEVELS], "left_out": ["patient_id"]},
            "judges": {"utility": ["logistic", "forest"], "detection": "gradient boosting"},
            "split_digest": "4f0c9d2e71aa" * 5,
            "synthetic_digest": "77be01c35d10" * 5,
            "warnings": ["Utility and fidelity used 2,000 of 2,448 train rows, drawn by seed."],
            "versions": {"reinforge": "0.1.0", "scikit-learn": "1.9.0"},
        },
        "figures": {
            "marginals": _marginals(),
            "association": _association(),
            "roc": [
                _roc("s2r_auc", "utility", 0.161),
                _roc("r2r_auc", "utility", 0.131),
                _roc("membership_auc", "attack", 0.91),
                _roc("domias_auc", "attack", 0.85),
            ],
            "projection": _projection(),
            "rules": [
                {
                    "rule": "systolic > diastolic",
                    "train": 0.0,
                    "holdout": 0.0016,
                    "synthetic": 0.0004,
                },
                {
                    "rule": "age >= 18 or ward != 'surgery'",
                    "train": 0.0,
                    "holdout": 0.0,
                    "synthetic": 0.0218,
                },
            ],
        },
    }


def make_history(n_steps: int = 400) -> list[dict[str, float]]:
    """Lines of a training history."""
    return [
        {
            "step": step,
            "seconds": 0.1 * step,
            "reward": -0.7 + 0.6 * (1 - math.exp(-step / 90)) + 0.05 * math.sin(1.3 * step),
            "discriminator_loss": 1.39 - 0.5 * math.exp(-step / 60) + 0.04 * math.cos(0.9 * step),
            "entropy": 14 - step / 80 + 0.1 * math.sin(step),
            "kl": 0.01 + 0.004 * abs(math.sin(0.37 * step)),
        }
        for step in range(n_steps)
    ]


PAYLOADS = (
    "<script>document.title='owned'</script>",
    "</title><script>document.title='owned'</script>",
    "</style><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<svg onload=\"document.title='owned'\">",
    "<svg><script>document.title='owned'</script></svg>",
    "\"><script>document.title='owned'</script>",
    "' onmouseover='document.title=1",
    '" autofocus onfocus="document.title=1" x="',
    "</text></svg><iframe srcdoc=\"<script>parent.document.title='owned'</script>\">",
    "</desc><foreignObject><body onload=\"document.title='owned'\">",
    "<a href=\"javascript:document.title='owned'\">click</a>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    "<base href=https://evil.example/>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<!-- <script>document.title='owned'</script>",
    "<![CDATA[<script>document.title='owned'</script>]]>",
    "{{ 7 * 7 }}{% for x in y %}",
    "&lt;script&gt;document.title='owned'&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "<form action=https://evil.example><button autofocus>send</button></form>",
)
AWKWARD = (
    "x" * 300,
    "\U0001f469\u200d\u2695\ufe0f \U0001f1e9\U0001f1ea",
    "\u202eegnaro\u202c and \u05d0\u05d1\u05d2\u200f",
    "two\nlines\tand a tab",
    "null\x00byte and \ud800 half a pair",
    "",
    "=cmd|' /C calc'!A0",
)


@dataclass
class Page(HTMLParser):
    """What a browser's parser would see: tags, attributes, text, the title."""

    source: str
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    title: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["title"] and "body" not in self.tags:
            self.title += data
        elif self._open[-1:] != ["style"]:
            self.pieces.append(data)


def hostile(text: str) -> dict[str, Any]:
    """Arguments of `render` with one foreign text wherever foreign text can stand."""
    card = make_scorecard()
    for each in card["scores"]:
        each["meaning"] = text
        each["baseline"][text] = 0.3
        if each["group"].startswith("sex"):
            each["group"] = f"{text}={each['group'][-1]}"
    card["scores"].append(score(text, reason=text, group=text))
    card["scores"].append(score(text, value=0.4, better=text))
    card["context"] |= {
        "target": text,
        "sensitive": [text],
        "generator": text,
        "warnings": [text],
        "not_tested": [text],
        text: {text: text},
    }
    for marginal in card["figures"]["marginals"]:
        marginal["column"] = text
        marginal["labels"] = [text for _ in marginal["labels"]]
    names = card["figures"]["association"]["columns"]
    card["figures"]["association"]["columns"] = [text for _ in names]
    card["figures"]["roc"][0]["name"] = text
    card["figures"]["rules"][0]["rule"] = text
    history = [{**line, text: line["reward"]} for line in make_history(20)]
    return {
        "scorecard": card,
        "history": history,
        "settings": {text: text, "deep": {text: [text]}},
        "title": text,
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `payload` or `awkward` once for each of them."""
    for name, texts in (("payload", PAYLOADS), ("awkward", AWKWARD)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, texts, ids=range(len(texts)))


@pytest.fixture
def history() -> list[dict[str, float]]:
    """Lines of a training history."""
    return make_history()


@pytest.fixture
def read_page() -> type[Page]:
    """A parser of pages."""
    return Page


@pytest.fixture
def payloads() -> tuple[str, ...]:
    """All hostile texts."""
    return PAYLOADS


@pytest.fixture
def hostile_arguments() -> Any:
    """From a foreign text to arguments of `render` that hold it everywhere."""
    return hostile
