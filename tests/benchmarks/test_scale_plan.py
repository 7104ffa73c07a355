"""The figures of docs/scale.md are those of the model as it is."""

import pytest
import torch

import scale_plan

WIDTH, N_BLOCKS, N_ROWS, RANK = 1152, 28, 751, 8


def test_numbers_in_the_weights_are_those_worked_by_hand():
    head = N_BLOCKS * N_ROWS * WIDTH
    attention, adaln = 4 * RANK * 2 * WIDTH, RANK * (WIDTH + 6 * WIDTH)
    assert scale_plan.counts("head")[1] == head
    assert scale_plan.counts("lora")[1] == head + N_BLOCKS * (attention + adaln)
    whole, n_trained = scale_plan.counts("all")
    assert whole == n_trained == scale_plan.counts("head")[0]


def test_the_page_holds_the_table_of_counts():
    assert scale_plan.count_table() in scale_plan.PAGE.read_text(encoding="utf-8")


def test_what_is_held_is_counted_once_and_forgotten():
    with scale_plan.Held() as held:
        one = torch.zeros(100)
        view = one[:50]
        assert held.now == 400
        two = one + 1
        assert held.now == held.peak == 800
        del two, one
        assert held.now == 400  # the view holds the whole of it
        del view
    assert (held.now, held.peak) == (0, 800)


@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")
def test_four_blocks_take_what_two_and_three_foretell():
    two, three, four = (scale_plan.shapes("lora", n, 2, checkpointing=False) for n in (2, 3, 4))
    for smaller, middle, larger in zip(two, three, four, strict=True):
        assert larger == middle + (middle - smaller)


@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")
def test_a_block_makes_the_products_worked_by_hand():
    one, two = (scale_plan.shapes("head", n, 2, checkpointing=False) for n in (1, 2))
    tokens = 256
    attention = tokens * 4 * WIDTH**2 + 2 * tokens**2 * WIDTH  # q, k, v, out; scores, mean
    feed_forward = tokens * 2 * 4 * WIDTH**2
    steered = 6 * WIDTH**2 + 256 * WIDTH + WIDTH**2  # adaLN; the embedding of time
    assert two.forward - one.forward == 2 * 2 * (attention + feed_forward + steered)
