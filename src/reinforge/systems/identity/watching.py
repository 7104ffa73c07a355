"""A look at fixed pictures while reinforcement goes on: rewards and pixels beside the cold start's.

The same seeds draw the same identities each time, so that what changes is the policy. A reward that
rises while pixels decay is a reward that has been hacked; the look says so in words.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reinforge.files import write_atomic
from reinforge.measure.picture_statistics import watch
from reinforge.randomness import torch_generator
from reinforge.report.contact_sheet import contact_sheet
from reinforge.systems.identity.learner import Learner
from reinforge.systems.identity.reward import (
    coverage,
    expression_diversity,
    semantic_consistency,
)
from reinforge.systems.identity.sampling import draw, weights_of
from reinforge.systems.identity.step import Embed

N_IDENTITIES = 6  # watched at most, spread over all
N_PICTURES = 8  # of each
SHEET = "pictures.png"

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Look:
    """Pictures of the watched identities at one moment, and what they earn."""

    pixels: np.ndarray
    rewards: dict[str, float]  # mean over draws: semantic, coverage, diversity


class Watch:
    """Looks at a learner when it is time to.

    Args:
        learner: Of whom.
        embed: The recogniser that rewards.
        names: Of the identities, for the sheet.
        seed: Of the run.
        folder: Where the sheet of pictures goes; None draws none.
    """

    def __init__(
        self,
        learner: Learner,
        embed: Embed,
        *,
        names: tuple[str, ...],
        seed: int,
        folder: Path | None = None,
    ) -> None:
        self.learner, self.embed, self.names = learner, embed, names
        self.seed, self.folder = seed, folder
        n = len(names)  # strangers, who come behind, are not watched
        chosen = np.unique(np.linspace(0, n - 1, min(N_IDENTITIES, n)).round().astype(np.int64))
        self.label = torch.from_numpy(chosen.repeat(N_PICTURES))
        self._before: Look | None = None

    def due(self, index: int) -> bool:
        """Whether to look after this step: at the end of the cold start, then regularly."""
        done = index + 1 - self.learner.config.cold_start_steps
        if self.learner.config.n_steps == 0 or done < 0:
            return False
        return done % self.learner.config.watch_every == 0 or done == self.learner.config.n_steps

    def __call__(self, index: int) -> dict[str, Any]:
        """What the history keeps of a look: rewards, ratios to the cold start's pixels, alarms."""
        if index + 1 == self.learner.config.cold_start_steps:
            self._before = self._look(self.learner.policy.copy_of_trained())
            return {f"watched_{name}": value for name, value in self._before.rewards.items()}
        before, now = self.before(), self._look(self.learner.averaged)
        identity = self.label.numpy()
        found = watch(
            now.pixels,
            before.pixels,
            identity=identity,
            reference_identity=identity,
            patch=self._patch(),
        )
        self._draw_sheet(before, now)
        for alarm in found["alarms"]:
            _log.warning("watch after step %d: %s", index + 1, alarm)
        ratio = {f"ratio_{k}": v for k, v in found["ratio"].items() if v is not None}
        rewards = {f"watched_{name}": value for name, value in now.rewards.items()}
        return {**rewards, **ratio, "alarms": found["alarms"]}

    def before(self) -> Look:
        """The cold start's look; drawn again from the reference where a run was resumed."""
        if self._before is None:
            self._before = self._look(self.learner.reference)
        return self._before

    @torch.no_grad()
    def _look(self, weights: dict[str, Tensor]) -> Look:
        config, policy, bank = self.learner.config, self.learner.policy, self.learner.bank
        generators = [
            torch_generator(self.seed, "identity/watch", number)
            for number in range(len(self.label))
        ]
        with weights_of(policy, weights):
            pixels = draw(
                policy, config.chain, self.label, generators, micro_batch=config.micro_batch
            )
        as_floats = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().to(policy.device)
        feature, label = self.embed(as_floats), self.label.to(policy.device)
        parts = {
            "semantic": semantic_consistency(feature, label, bank),
            "coverage": coverage(feature, label, bank, alpha=config.repulsion),
            "diversity": expression_diversity(
                feature, label, bank, expansion=config.expansion, credit="group"
            ),
        }
        return Look(pixels=pixels, rewards={k: float(v.mean()) for k, v in parts.items()})

    def _patch(self) -> int | None:
        """Side of the transformer's patches in pixels, where their borders can be watched."""
        policy = self.learner.policy
        side = policy.transformer.config.patch_size * getattr(policy.codec, "shrinks", 1)
        return side if 2 <= side < policy.shape[1] * getattr(policy.codec, "shrinks", 1) else None

    def _draw_sheet(self, before: Look, now: Look) -> None:
        if self.folder is None:
            return
        rows = []
        for first in range(0, len(self.label), N_PICTURES):
            name = self.names[int(self.label[first])]
            some = slice(first, first + N_PICTURES)
            rows += [(f"{name}\ncold start", before.pixels[some]), ("now", now.pixels[some])]
        side = before.pixels.shape[1]
        sheet = contact_sheet(
            rows,
            scale=max(1, 64 // side),
            rows_per_group=2,
            title="Generated pictures of fixed seeds: the cold start's above, now below",
        )
        write_atomic(self.folder / SHEET, sheet)
