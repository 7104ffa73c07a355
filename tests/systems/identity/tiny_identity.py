"""An identity system that fits into a blink: 8 x 8 grey pictures, a recogniser of four blocks."""

import torch
from torch.nn.functional import avg_pool2d, normalize

from reinforge.generators.codec import PixelCodec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import class_tables, new_dit
from reinforge.generators.prior import Prior
from reinforge.systems.identity.bank import memory_bank
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.identity.learner import new_learner

N_IDENTITIES = 4
SETTINGS = {  # whatever a test relies upon is set here or by the test
    "trained": "all",
    "table_start": "prior",
    "lora_rank": 2,
    "precision": "float32",
    "cold_start_steps": 0,
    "cold_start_images": 8,
    "cold_start_learning_rate": 1e-3,
    "table_learning_rate": 4e-3,
    "label_drop": 0.1,
    "mirror": True,
    "n_denoising": 5,
    "eta": 1.0,
    "guidance": 1.0,
    "guided_gradient": False,
    "identities_per_batch": 3,
    "draws_per_identity": 4,
    "branches": 1,
    "window": "random",
    "window_steps": 2,
    "noise_outside": True,
    "micro_batch": 64,
    "semantic_weight": 1.0,
    "coverage_weight": 0.75,
    "diversity_weight": 0.25,
    "privacy_weight": 0.0,
    "realism_weight": 0.0,
    "critic_first_steps": 4,
    "critic_steps": 2,
    "critic_learning_rate": 2e-3,
    "repulsion": 0.5,
    "expansion": 0.1,
    "reward_units": "cold_start",
    "n_recent": 0,
    "diversity_credit": "leave_one_out",
    "estimator": "score",
    "random_views": False,
    "objective": "dpok",
    "advantage": "group",
    "log_ratio": "sum",
    "clip_range": 0.2,
    "kl_weight": 0.01,
    "n_epochs": 1,
    "learning_rate": 1e-3,
    "max_grad_norm": 1.0,
    "value_learning_rate": 1e-3,
    "value_hidden": 8,
    "value_steps": 2,
    "average_decay": 0.0,
    "n_steps": 10,
}


def config_of(**settings):
    """Settings that hold whatever the defaults are; those that a version lacks are left out."""
    known = {name: value for name, value in SETTINGS.items() if name in IdentityConfig.model_fields}
    return IdentityConfig(**{**known, **settings})


def tiny_prior(*, n_layers=2, prediction="v_prediction", seed=0):
    """A pixel DiT of 16 tokens whose random weights all matter (adaLN-Zero would hide them)."""
    transformer = new_dit(
        size=8,
        channels=1,
        patch=2,
        n_layers=n_layers,
        n_heads=2,
        head_dim=8,
        n_classes=2,
        seed=seed,
    )
    generator = torch.Generator().manual_seed(seed)
    for parameter in transformer.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    schedule = NoiseSchedule.from_config(
        {"beta_schedule": "linear", "prediction_type": prediction, "num_train_timesteps": 100,
         "beta_start": 1e-3, "beta_end": 0.2}
    )  # fmt: skip
    return Prior(
        transformer=transformer, codec=PixelCodec(scale=0.5, channels=1), schedule=schedule
    )


def blocks(pixels):
    """The recogniser: how bright the quarters of a picture are, L2-normalised with a constant."""
    light = avg_pool2d(pixels / 127.5 - 1, 4).flatten(1)
    return normalize(torch.cat([light, torch.full_like(light[:, :1], 0.3)], dim=1), dim=1)


def real_pictures(n_identities=N_IDENTITIES, n_each=4):
    """Two quarters are bright, two dark: which ones is the identity; its pictures differ by light.

    The means of all identities' quarters are the same grey, so that no picture suits them all.
    """
    generator = torch.Generator().manual_seed(7)
    light = 0.6 * torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1]])
    light = light.repeat(-(-n_identities // 4), 1)[:n_identities].repeat_interleave(n_each, 0)
    light = light + 0.15 * torch.randn(light.shape, generator=generator)
    pixels = light.view(-1, 1, 2, 2).repeat_interleave(4, 2).repeat_interleave(4, 3)
    label = torch.arange(n_identities).repeat_interleave(n_each)
    return ((pixels + 1) * 127.5).clamp(0, 255).round(), label


def told_apart(policy):
    """Give every identity another row: those of the prior are all the same."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for table in class_tables(policy.transformer):
            table.add_(0.5 * torch.randn(table.shape, generator=generator))
    return policy


def tiny_learner(*, prior=None, n_identities=N_IDENTITIES, seed=0, is_apart=True, **settings):
    """A learner at step 0 with `SETTINGS`, but for those that are given."""
    pixels, label = real_pictures(n_identities)
    bank = memory_bank(blocks(pixels), label, n_identities)
    learner = new_learner(
        prior or tiny_prior(), pixels, label, bank, config=config_of(**settings), seed=seed
    )
    if is_apart:
        told_apart(learner.policy)
        learner.reference = learner.policy.copy_of_trained()
        learner.averaged = learner.policy.copy_of_trained()
    return learner


def state_of(learner):
    """A copy of all that a checkpoint would hold."""
    return {name: value.detach().clone() for name, value in learner.tensors().items()}


def is_same(one, other):
    """Whether two states hold the same bits under the same names."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
