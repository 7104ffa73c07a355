import pytest
import torch
from accelerate import init_empty_weights
from diffusers import DiTTransformer2DModel

from reinforge.errors import InputError
from reinforge.generators.adapter import MODULATION, adapter_off, lora
from reinforge.generators.dit import (
    class_tables,
    n_parameters,
    new_dit,
    null_label,
    predict,
    with_class_table,
)

SIZES = {
    "size": 8, "channels": 3, "patch": 2, "n_layers": 2, "n_heads": 2, "head_dim": 8, "n_classes": 4
}  # fmt: skip


def lively(seed=0, **changed):
    """A transformer whose blocks and output are not zero, as after training."""
    transformer = new_dit(**(SIZES | changed), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in transformer.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return transformer.eval()


def inputs(n_draws=4, channels=3):
    noisy = torch.randn(n_draws, channels, 8, 8, generator=torch.Generator().manual_seed(7))
    return noisy, torch.arange(n_draws) * 100, torch.arange(n_draws)


def test_first_weights_depend_on_the_seed_alone_and_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    first = new_dit(**SIZES, seed=1).state_dict()
    with torch.random.fork_rng(devices=[]):
        torch.rand(3)
        again = new_dit(**SIZES, seed=1).state_dict()
    other = new_dit(**SIZES, seed=2).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["pos_embed.proj.weight"], other["pos_embed.proj.weight"])


@torch.no_grad()
def test_a_new_transformer_predicts_zero_and_its_patches_are_not_all_alike():
    transformer = new_dit(**SIZES, seed=0)
    assert predict(transformer, *inputs()).abs().max() == 0
    assert transformer.pos_embed.proj.weight.std() > 0.05
    rows = class_tables(transformer)[1]
    assert rows.shape == (5, 16)
    assert 0.01 < rows.std() < 0.03


@pytest.mark.parametrize(
    "changed", [{"size": 9}, {"n_heads": 1, "head_dim": 6}, {"n_layers": 0}, {"n_classes": 0}]
)
def test_sizes_that_do_not_fit_are_refused(changed):
    with pytest.raises(InputError, match="must be a multiple of patch"):
        new_dit(**(SIZES | changed), seed=0)


@torch.no_grad()
def test_train_mode_drops_no_label_inside_the_network():
    transformer, (noisy, time, _) = lively(), inputs(n_draws=64)
    label = torch.zeros(64, dtype=torch.long)
    quiet = predict(transformer.eval(), noisy, time, label)
    assert torch.equal(predict(transformer.train(), noisy, time, label), quiet)
    adapted = with_class_table(transformer, 3, start="prior")
    quiet = predict(adapted.eval(), noisy, time, label)
    assert torch.equal(predict(adapted.train(), noisy, time, label), quiet)


@torch.no_grad()
def test_a_learned_variance_takes_no_part_in_the_prediction():
    transformer = lively(learn_sigma=True)
    noisy, time, label = inputs()
    whole = transformer(noisy, timestep=time, class_labels=label).sample
    assert whole.shape[1] == 6
    assert torch.equal(predict(transformer, noisy, time, label), whole[:, :3])


@torch.no_grad()
def test_bfloat16_gives_float32_near_the_exact_prediction_and_keeps_the_weights():
    transformer, (noisy, time, label) = lively(), inputs()
    exact = predict(transformer, noisy, time, label)
    rough = predict(transformer, noisy, time, label, bf16=True)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    assert (rough - exact).abs().max() < 0.05 * exact.abs().max()
    assert transformer.proj_out_2.weight.dtype == torch.float32


def test_a_class_table_of_identities_is_zero_has_a_null_row_and_leaves_the_prior_alone():
    prior = lively()
    rows = [table.clone() for table in class_tables(prior)]
    adapted = with_class_table(prior, 9)
    for table in class_tables(adapted):
        assert table.shape == (10, 16)
        assert table.abs().max() == 0
        assert table.requires_grad
    assert null_label(adapted) == adapted.config.num_embeds_ada_norm == 9
    assert null_label(prior) == 4
    assert all(torch.equal(a, b) for a, b in zip(rows, class_tables(prior), strict=True))


@torch.no_grad()
def test_the_start_from_the_prior_predicts_what_the_prior_predicts_of_no_class():
    noisy, time, label = inputs()
    for n_classes, row in ((4, 4), (1, 0)):  # null row; the one class of an unconditional prior
        prior = lively(n_classes=n_classes)
        adapted = with_class_table(prior, 3, start="prior")
        expected = predict(prior, noisy, time, torch.full_like(label, row))
        assert torch.equal(predict(adapted, noisy, time, label), expected)


def test_weights_of_the_copy_are_its_own():
    prior = lively()
    adapted = with_class_table(prior, 2)
    shared = {p.data_ptr() for p in prior.parameters()} & {
        p.data_ptr() for p in adapted.parameters()
    }
    assert not shared
    with torch.no_grad():
        class_tables(adapted)[0][0] += 1
    assert class_tables(adapted)[0][1].abs().max() == 0
    assert class_tables(adapted)[1].abs().max() == 0


def test_a_table_of_no_identity_is_refused():
    with pytest.raises(InputError, match="at least 1 identity"):
        with_class_table(lively(), 0)


def test_a_replaced_table_survives_gradients_through_every_block():
    adapted = with_class_table(lively(), 3)
    noisy, time, label = inputs()
    predict(adapted, noisy, time, label).square().sum().backward()
    for table in class_tables(adapted):
        assert (table.grad.abs().sum(1) > 0).all()


def test_dit_xl_2_has_675_million_weights_with_the_shared_embedders_counted_once():
    with init_empty_weights(include_buffers=False):
        transformer = DiTTransformer2DModel(
            num_attention_heads=16, attention_head_dim=72, in_channels=4, out_channels=8,
            num_layers=28, sample_size=32, patch_size=2, num_embeds_ada_norm=1000,
        )  # fmt: skip
    assert transformer.proj_out_1.weight.is_meta
    copies = n_parameters(transformer.transformer_blocks[0].norm1.emb)
    assert round((n_parameters(transformer) - 27 * copies) / 1e6, 1) == 674.8  # paper: 675 M
    assert round(n_parameters(transformer) / 1e6, 1) == 749.8
    adapted = with_class_table(transformer, 100)
    assert class_tables(adapted)[27].shape == (101, 1152)


@torch.no_grad()
def test_an_adapter_changes_nothing_until_it_is_trained_and_can_be_switched_off():
    transformer, (noisy, time, label) = lively(), inputs()
    before = predict(transformer, noisy, time, label)
    lora(transformer, rank=2, seed=0)
    assert torch.equal(predict(transformer, noisy, time, label), before)
    for name, parameter in transformer.named_parameters():
        if "lora_B" in name:
            parameter += 0.5
    after = predict(transformer, noisy, time, label)
    assert (after - before).abs().max() > 1e-3
    with adapter_off(transformer):
        assert torch.equal(predict(transformer, noisy, time, label), before)
    assert torch.equal(predict(transformer, noisy, time, label), after)


def test_an_adapter_is_trainable_and_leaves_every_other_flag_as_it_was():
    transformer = with_class_table(lively().requires_grad_(False), 3)
    transformer.requires_grad_(False)
    for table in class_tables(transformer):
        table.requires_grad_(True)
    lora(transformer, rank=2, targets=("to_q", *MODULATION), seed=0)

    def trained():
        return {name for name, p in transformer.named_parameters() if p.requires_grad}

    flags = trained()
    assert all("lora_" in name or "embedding_table" in name for name in flags)
    assert len(flags) == 2 + 2 * 2 * 2  # two tables; A and B of two layers in two blocks
    with adapter_off(transformer):
        predict(transformer, *inputs())
    assert trained() == flags


def test_an_adapter_depends_on_its_seed_alone():
    first, again, other = (lora(lively(), rank=2, seed=s).state_dict() for s in (1, 1, 2))
    name = next(name for name in first if "lora_A" in name)
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])


def test_an_adapter_takes_the_mode_of_its_transformer_in_every_layer():
    for mode in (True, False):
        adapted = lora(lively().train(mode), rank=2, seed=1)
        assert {part.training for part in adapted.modules()} == {mode}


@torch.no_grad()
def test_a_frozen_adapter_stays_frozen_after_it_was_off():
    transformer = lora(lively(), rank=2, seed=0).requires_grad_(False)
    with adapter_off(transformer):
        pass
    assert not any(parameter.requires_grad for parameter in transformer.parameters())


def test_adapters_that_fit_nowhere_are_refused():
    with pytest.raises(InputError, match=r"no linear layer's name ends in 'qkv'"):
        lora(lively(), rank=2, targets=("to_q", "qkv"), seed=0)
    with pytest.raises(InputError, match="rank must be at least 1"):
        lora(lively(), rank=0, seed=0)
    with pytest.raises(InputError, match="has an adapter already"):
        lora(lora(lively(), rank=2, seed=0), rank=2, seed=0)
