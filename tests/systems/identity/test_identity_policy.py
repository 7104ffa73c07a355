import pytest
import torch
from tiny_identity import tiny_prior, told_apart

from reinforge.errors import ReinforgeError
from reinforge.systems.identity.policy import new_policy
from reinforge.systems.identity.value import Value


def policy_of(trained="all", *, start="prior", prior=None, precision="float32"):
    return new_policy(
        prior or tiny_prior(),
        4,
        trained=trained,
        start=start,
        lora_rank=2,
        precision=precision,
        seed=0,
    )


def asked(n=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, 1, 8, 8, generator=generator), torch.arange(n) * 10, torch.arange(n)


def test_a_policy_knows_its_identities_and_the_shape_of_a_state():
    policy = policy_of()
    assert policy.n_identities == 4
    assert policy.shape == (1, 8, 8)


def test_guidance_goes_away_from_the_picture_of_nobody():
    policy, (state, time, label) = told_apart(policy_of()), asked()
    with torch.no_grad():
        somebody = policy.predict(state, time, label)
        nobody = policy.predict(state, time, torch.full_like(label, 4))
    assert not torch.allclose(somebody, nobody, atol=1e-3)
    for guided_gradient in (False, True):
        told = policy.predict(state, time, label, guidance=3.0, guided_gradient=guided_gradient)
        wanted = nobody + 3.0 * (somebody - nobody)
        torch.testing.assert_close(told, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("guided_gradient", [False, True])
def test_gradients_reach_the_pass_for_nobody_only_where_it_is_asked_for(guided_gradient):
    policy, (state, time, label) = policy_of(), asked()
    policy.predict(
        state, time, label, guidance=3.0, guided_gradient=guided_gradient
    ).sum().backward()
    tables = [w for n, w in policy.trained().items() if "embedding_table" in n]
    reach_nobody = [bool(table.grad[4].abs().sum() > 0) for table in tables]
    assert reach_nobody == [guided_gradient] * len(tables)


@pytest.mark.parametrize(
    ("trained", "words"),
    [
        ("head", {"embedding_table"}),
        ("adaln", {"embedding_table", "norm1.linear", "proj_out_1"}),
        ("lora", {"embedding_table", "lora_A", "lora_B"}),
    ],
)
def test_what_is_trained_is_what_was_chosen_and_the_head_always(trained, words):
    names = set(policy_of(trained).trained())
    assert {word for word in words if any(word in name for name in names)} == words
    assert all(any(word in name for word in words) for name in names)


def test_all_means_every_weight_of_the_network():
    policy = policy_of("all")
    assert set(policy.trained()) == {name for name, _ in policy.transformer.named_parameters()}


@pytest.mark.parametrize("trained", ["head", "adaln", "lora", "all"])
def test_a_new_policy_draws_as_the_prior_draws_nobody(trained):
    prior, (state, time, label) = tiny_prior(), asked()
    policy = policy_of(trained, prior=prior)
    with torch.no_grad():
        told = policy.predict(state, time, label)
        wanted = prior.transformer(
            state, timestep=time, class_labels=torch.full_like(label, 2), return_dict=False
        )[0]
    torch.testing.assert_close(told, wanted, rtol=1e-5, atol=1e-5)


def test_a_zero_table_starts_at_zero():
    tables = [w for n, w in policy_of(start="zero").trained().items() if "embedding_table" in n]
    assert {tuple(table.shape) for table in tables} == {(5, 16)}
    assert all(float(table.detach().abs().max()) == 0.0 for table in tables)


def test_the_prior_stays_as_it_is():
    prior = tiny_prior()
    before = {name: value.clone() for name, value in prior.transformer.state_dict().items()}
    policy = policy_of(prior=prior)
    with torch.no_grad():
        for weight in policy.trained().values():
            weight.zero_()
    after = prior.transformer.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("trained", ["head", "lora", "all"])
def test_other_weights_may_stand_in_for_a_pass_and_nothing_is_changed(trained):
    policy, (state, time, label) = policy_of(trained), asked()
    own = policy.copy_of_trained()
    other = {name: value + 0.1 for name, value in own.items()}
    with torch.no_grad():
        first = policy.predict(state, time, label)
        stood_in = policy.predict(state, time, label, weights=other)
        assert torch.equal(policy.predict(state, time, label), first)
        policy.load_trained(other)
        assert torch.equal(policy.predict(state, time, label), stood_in)
    assert not torch.allclose(first, stood_in, atol=1e-3)


def test_a_copy_of_trained_weights_does_not_move_with_them():
    policy = policy_of()
    kept = policy.copy_of_trained()
    before = {name: value.clone() for name, value in kept.items()}
    with torch.no_grad():
        for weight in policy.trained().values():
            weight.add_(1.0)
    assert all(torch.equal(kept[name], before[name]) for name in kept)


def test_a_prediction_in_bfloat16_comes_back_as_float32_and_is_near():
    state, time, label = asked()
    with torch.no_grad():
        told = policy_of(precision="bfloat16").predict(state, time, label)
        wanted = policy_of().predict(state, time, label)
    assert told.dtype == torch.float32
    assert not torch.equal(told, wanted)
    torch.testing.assert_close(told, wanted, rtol=0.1, atol=0.1)


def test_train_mode_is_refused():
    policy, (state, time, label) = policy_of(), asked()
    policy.transformer.train()
    with pytest.raises(ReinforgeError, match="the policy is in train mode"):
        policy.predict(state, time, label)


# the value net


def value_of(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Value((1, 8, 8), n_identities=4, n_denoising=5, hidden=8, generator=generator)


def test_a_new_value_net_expects_nothing():
    state, _, label = asked()
    assert value_of()(state, label, 2).tolist() == [0.0] * 3


def test_a_value_net_learns_what_an_identity_and_a_step_are_worth():
    value, (state, _, _) = value_of(), asked(8)
    label = torch.arange(8) % 4
    optimizer = torch.optim.Adam(value.parameters(), lr=0.02)
    worth = {0: label.float(), 3: 2.0 - label}  # rises with the identity, or falls
    for _ in range(300):
        error = sum((value(state, label, p) - r).square().mean() for p, r in worth.items())
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert float(error.detach()) < 0.05


def test_value_nets_of_one_seed_are_the_same():
    one, same, other = value_of(), value_of(), value_of(1)
    assert torch.equal(one.first.weight, same.first.weight)
    assert not torch.equal(one.first.weight, other.first.weight)
