"""From drawn actions to the user's rewards: decode once a step, ask every reward."""

from collections.abc import Sequence

import torch
from torch import Tensor

from reinforge.data.coded import from_coded
from reinforge.randomness import generator
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.heads import Actions, Layout
from reinforge.systems.tabular.reward import Reward, total_reward
from reinforge.systems.tabular.step import ExtraReward


def extra_reward(rewards: Sequence[Reward], layout: Layout, *, seed: int) -> ExtraReward:
    """One function of a draw for all rewards of decoded rows.

    Args:
        rewards: Prepared rewards.
        layout: Decodes draws.
        seed: Keys the places inside bins, which the rewards see and the policy does not.
    """

    def score(draw: Draw, index: int) -> tuple[Tensor, dict[str, float]]:
        actions = Actions(amount=draw.amount.numpy(), level=draw.level.numpy())
        table = layout.decode(actions, generator(seed, "tabular/extra", index))
        total, means = total_reward(rewards, from_coded(table, layout.schema))
        return torch.from_numpy(total).float(), means

    return score
