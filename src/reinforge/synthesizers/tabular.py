"""Tables: fit, sample, save and load."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reinforge import __version__
from reinforge.data.coded import from_coded, to_coded
from reinforge.data.frames import as_frame, frame_digest
from reinforge.data.rare import private_schema, train_schema
from reinforge.data.table_writer import TableWriter
from reinforge.errors import InputError
from reinforge.randomness import generator
from reinforge.records import Split
from reinforge.schema import Schema
from reinforge.synthesizers.leakage import Tried, within
from reinforge.synthesizers.limits import memory_limit, one_thread
from reinforge.systems.tabular.choose import choose_heads
from reinforge.systems.tabular.condition import Where, parse_where
from reinforge.systems.tabular.config import FilledConfig, TabularConfig, resolve_config
from reinforge.systems.tabular.extra import extra_reward
from reinforge.systems.tabular.heads import Layout
from reinforge.systems.tabular.learner import as_draw, new_learner
from reinforge.systems.tabular.policy import Policy
from reinforge.systems.tabular.reward import Plugin, Reward, TrainRows, rule_reward
from reinforge.systems.tabular.rules import parse_rule
from reinforge.systems.tabular.sampling import balanced_rows, rows
from reinforge.systems.tabular.saved import read_model, write_model
from reinforge.systems.tabular.step import step
from reinforge.systems.tabular.sums import relations_by_name
from reinforge.training import Place, train

if TYPE_CHECKING:
    from reinforge.systems.tabular.rules import Rule

FEWEST_ROWS = 20


class TabularSynthesizer:
    """A generator of tables, learnt by reinforcement (RLSyn, arXiv:2512.21395, and beyond).

    Args:
        preset: "default", or "rlsyn-mimic" / "rlsyn-aireadi" for the published settings.
        seed: Same seed and same data give the same generator, bit for bit.
        rewards: What makes a row useful beyond looking real: `Reward(fn, weight)`,
            `PrivacyReward()`, `UtilityReward()`, `FairnessReward("sex")`.
        rules: Texts such as ``"systolic > diastolic"``; rows that break one are penalised.
        rule_weight: A row that breaks a rule becomes exp(-rule_weight) times as likely.
        max_leakage: The largest membership AUC on halves of the training rows
            (`leakage_on_halves`); `fit` makes settings more private until it holds, two fits a try.
        settings: Any field of `TabularConfig`, e.g. ``n_steps=500``.

    Raises:
        InputError: An unknown preset or setting, a value out of range, or a rule that cannot be
            read.

    Example:
        >>> from reinforge import TabularSynthesizer
        >>> from reinforge.data.embedded import breast_cancer
        >>> model = TabularSynthesizer(seed=0, n_steps=20).fit(breast_cancer())
        >>> model.sample(3, seed=1).shape
        (3, 31)
    """

    def __init__(
        self,
        preset: str = "default",
        *,
        seed: int = 0,
        rewards: Sequence[Plugin] = (),
        rules: Sequence[str] = (),
        rule_weight: float = 5.0,
        max_leakage: float | None = None,
        **settings: Any,
    ) -> None:
        self.preset = preset
        self.seed = int(seed)
        self.config: TabularConfig = resolve_config(preset, settings)
        self.rewards = tuple(rewards)
        self.rules: tuple[Rule, ...] = tuple(parse_rule(text) for text in rules)
        self.rule_weight = rule_weight
        if max_leakage is not None and not 0.5 < max_leakage < 1:
            raise InputError(
                f"max_leakage: a membership AUC between 0.5 and 1 is wanted, not {max_leakage!r}."
            )
        self.max_leakage = max_leakage
        self.tried: list[Tried] = []  # for max_leakage; the last settings hold
        self.history: list[dict[str, Any]] = []
        self._layout: Layout | None = None
        self._policy: Policy | None = None
        self._filled: FilledConfig | None = None  # the settings that the policy was learnt with

    @property
    def schema(self) -> Schema:
        """What the columns were taken for (without any rare value).

        Raises:
            InputError: Nothing was fitted yet.
        """
        return self._fitted()[0].schema

    @property
    def looked_up(self) -> dict[str, str]:
        """Columns without a draw of their own -> the column that decides each, or "a + b".

        Raises:
            InputError: Nothing was fitted yet.
        """
        layout = self._fitted()[0]
        return relations_by_name(layout.derived, layout.sums, layout.schema)

    def fit(
        self,
        train_rows: "pd.DataFrame | Split",
        *,
        target: str | None = None,
        schema: Schema | dict[str, dict] | None = None,
        run_dir: str | Path | None = None,
        resume: bool = False,
        on_step: Callable[[dict[str, Any]], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> "TabularSynthesizer":
        """Learn a table.

        Args:
            train_rows: The training rows, or a `Split`, of which only `train` is looked at.
            target: The column that rewards mean by the target, and that imitation always sees (a
                split brings its own).
            schema: What the columns are, where inference errs: a schema or column -> fields.
            run_dir: Where checkpoints and history are kept; None keeps them nowhere.
            resume: Go on from the newest checkpoint in `run_dir`.
            on_step: Told each step's record.
            stop: Asked after each step; True saves a checkpoint and raises `Interrupted`.

        Returns:
            The generator itself.

        Raises:
            InputError: The table cannot be learnt as it is; the message names the column.
        """
        if isinstance(train_rows, Split):
            target = target or train_rows.target
            if not isinstance(schema, Schema):
                least = self.config.min_rows
                schema = train_schema(train_rows, min_rows=least, declared=schema)
            train_rows = train_rows.train
        frame = as_frame(train_rows)
        if len(frame) < FEWEST_ROWS:
            raise InputError(
                f"{len(frame)} training rows are too few to learn from; at least {FEWEST_ROWS}."
            )
        schema = private_schema(frame, schema, min_rows=self.config.min_rows)
        if target is not None:
            schema[target]  # an unknown name is refused with the known ones
        if self.max_leakage is not None:
            self._make_private(frame, schema, target, on_step, stop)
        coded = to_coded(frame, schema)
        layout = choose_heads(
            coded,
            schema,
            choice=self.config.heads,
            n_bins=self.config.n_bins,
            max_levels=self.config.max_levels,
            min_rows=self.config.min_rows,
            look_up=self.config.look_up,
            last=_learnt(target, schema) if self.config.draws_target_last else None,
        )
        self._train(frame, coded, layout, target, run_dir, resume, on_step, stop)
        return self

    def _make_private(
        self,
        frame: pd.DataFrame,
        schema: Schema,
        target: str | None,
        on_step: Callable[[dict[str, Any]], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        """Change the settings until leakage on halves is below `max_leakage`."""
        assert self.max_leakage is not None

        def fit(config: TabularConfig, half: pd.DataFrame) -> "TabularSynthesizer":
            model = TabularSynthesizer(seed=self.seed, rewards=self.rewards)
            model.config, model.rules, model.rule_weight = config, self.rules, self.rule_weight
            told = on_step and (lambda record: on_step({**record, "measuring": "leakage"}))
            return model.fit(half, target=target, schema=schema, on_step=told, stop=stop)

        self.tried = within(self.max_leakage, self.config, frame, fit, schema, seed=self.seed)
        self.config = self.config.model_copy(update=self.tried[-1].settings)

    def _train(
        self,
        frame: pd.DataFrame,
        coded: pd.DataFrame,
        layout: Layout,
        target: str | None,
        run_dir: str | Path | None,
        resume: bool,
        on_step: Callable[[dict[str, Any]], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        real = as_draw(layout.encode(coded, generator(self.seed, "tabular/encode")))
        known = TrainRows(
            frame=frame, coded=coded, schema=layout.schema, target=target, seed=self.seed
        )
        rewards = self._prepared_rewards(known)
        config = self.config.for_rows(len(frame))
        learner = new_learner(config, layout, seed=self.seed, target=_learnt(target, layout.schema))
        extra = extra_reward(rewards, layout, seed=self.seed) if rewards else None
        place = None
        if run_dir is not None:
            labels = [f"{reward.label} x {reward.weight:g}" for reward in rewards]
            columns = layout.schema.model_dump(mode="json")
            fingerprint = json.dumps(
                [self.seed, self.config.model_dump(), labels, target, columns, frame_digest(frame)]
            )
            place = Place(
                folder=Path(run_dir), fingerprint=fingerprint, every=self.config.checkpoint_every
            )
        with one_thread(), memory_limit(self._memory_remedy()):
            self.history = train(
                learner,
                lambda index: step(learner, real, index, seed=self.seed, extra=extra),
                config.total_steps,
                place=place,
                resume=resume,
                on_step=on_step,
                stop=stop,
            )
        self._layout, self._policy, self._filled = layout, learner.averaged, config

    def _prepared_rewards(self, known: TrainRows) -> list[Reward]:
        for rule in self.rules:
            rule.broken(known.frame.head(100))  # a wrong column is said before training
        of_rules = [rule_reward(rule, weight=self.rule_weight) for rule in self.rules]
        rewards = [reward.prepared(known) for reward in self.rewards] + of_rules
        if rewards and self.config.estimator == "reparameterised":
            raise InputError(
                "rewards and rules need a policy gradient; estimator 'reparameterised' is none, so "
                "set estimator to 'ppo'."
            )
        for reward in rewards:
            reward(known.frame.head(100))
        return rewards

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        where: Where = None,
        balance: str | None = None,
    ) -> pd.DataFrame:
        """Draw rows.

        Args:
            n: How many, 0 or more.
            seed: Same seed, same rows; ``sample(n + m)`` starts with ``sample(n)``.
            where: Conditions that every row meets: ``{"sex": "F"}`` or ``["outcome=1",
                "age>=60"]``.
            balance: A discrete column whose levels come equally often (counts differ by 1 at most).

        Returns:
            Rows in the dtypes of the training table.

        Raises:
            InputError: Not fitted, a negative n, or a condition that cannot be met.
        """
        blocks = list(self._blocks(n, seed=seed, where=where, balance=balance))
        return pd.concat(blocks, ignore_index=True)

    def sample_to(
        self,
        path: str | Path,
        n: int,
        *,
        seed: int = 0,
        where: Where = None,
        balance: str | None = None,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:
        """Draw rows into a Parquet or CSV file, block by block in bounded memory.

        Args:
            path: The file; its suffix chooses the format.
            n: How many rows.
            seed: As in `sample`, which gives the same rows.
            where: As in `sample`.
            balance: As in `sample`.
            on_rows: Told how many rows are written so far.
        """
        n_written = 0
        with TableWriter(path) as writer:
            for block in self._blocks(n, seed=seed, where=where, balance=balance):
                writer.append(block)
                n_written += len(block)
                if on_rows is not None:
                    on_rows(n_written)

    def _blocks(
        self, n: int, *, seed: int, where: Where, balance: str | None
    ) -> Iterator[pd.DataFrame]:
        """Decoded blocks that add up to n rows; one empty block for n = 0."""
        layout, policy = self._fitted()
        if n < 0:
            raise InputError(f"sample: n must be 0 or more, got {n}.")
        conditions = parse_where(where, layout.schema)
        first = 0
        with one_thread(), memory_limit(self._memory_remedy()):
            tables = (
                rows(policy, layout, n, seed=seed, conditions=conditions)
                if balance is None
                else balanced_rows(policy, layout, n, balance, seed=seed, where=where)
            )
            for table in tables:
                yield from_coded(table, layout.schema, first_row=first)
                first += len(table)
        if first == 0:
            empty = pd.DataFrame(columns=[c.name for c in layout.schema.modelled], dtype=float)
            yield from_coded(empty, layout.schema, first_row=0)

    def save(self, folder: str | Path) -> None:
        """Write `model.safetensors` and `schema.json`: weights and numbers, no code and no row."""
        layout, policy = self._fitted()
        about = {
            "version": __version__,
            "preset": self.preset,
            "seed": self.seed,
            "config": self.config.model_dump(),
            "learnt_with": self._filled and self._filled.model_dump(),
            "rules": [rule.text for rule in self.rules],
        }
        write_model(Path(folder), layout, policy, about)

    @classmethod
    def load(cls, folder: str | Path) -> "TabularSynthesizer":
        """Read a generator that `save` wrote.

        Raises:
            InputError: A file is missing, damaged, or written by a newer reinforge.
        """
        content, layout, policy = read_model(Path(folder))
        try:
            model = cls(content["preset"], seed=content["seed"], rules=content["rules"])
            model.config = resolve_config("default", content["config"])
            model._filled = FilledConfig(**content["learnt_with"])
        except (LookupError, TypeError, ValueError) as error:
            raise InputError(f"{folder}: the model cannot be read ({error!r}).") from error
        model._layout, model._policy = layout, policy
        return model

    def _memory_remedy(self) -> str:
        return f"lower batch_rows (now {self.config.batch_rows}) or hidden."

    def _fitted(self) -> tuple[Layout, Policy]:
        if self._layout is None or self._policy is None:
            raise InputError("nothing is learnt yet; call fit(...) or load(...) first.")
        return self._layout, self._policy


def _learnt(target: str | None, schema: Schema) -> str | None:
    """The target, if the generator draws it at all."""
    return target if target is not None and schema[target].is_modelled else None
