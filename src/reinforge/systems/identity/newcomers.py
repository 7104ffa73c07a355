"""People who do not exist: mixtures of the learnt ones, as classes of a generator of their own.

A recogniser learns what sets people apart from many people, and the scarce source has few. Between
the rows of the class table lie others, and each is somebody whom the generator draws as
consistently as those it learnt.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from reinforge.errors import InputError
from reinforge.generators.dit import class_tables, with_class_table
from reinforge.randomness import generator as numbers
from reinforge.systems.identity.saved import Generator

PARENTS = 3  # of each newcomer; fewer where there are not so many people


def newcomers(generator: Generator, n: int, *, seed: int) -> Generator:
    """A generator of n people who do not exist.

    With rows r_i of the learnt people and their mean m, the row of a newcomer is

        m + sum_i a_i (r_i - m) / |a|,    a ~ Dirichlet(1) over `PARENTS` people drawn at random,

    so that newcomers lie as far from the mean as people do, and not nearer to it as averages would.
    A newcomer is a function of the seed and of its number.

    Args:
        generator: Of learnt people, at least two.
        n: How many, 1 or more.
        seed: Who they are.

    Raises:
        InputError: A number below 1, or a single person to mix.
    """
    if n < 1:
        raise InputError(f"newcomers: at least 1 is wanted, got {n}.")
    n_known = len(generator.names)
    if n_known < 2:
        raise InputError("newcomers are mixed from learnt people, and there is but one.")
    mixed = shares(n, n_known, seed)
    transformer = with_class_table(generator.prior.transformer, n)
    with torch.no_grad():
        tables = zip(
            class_tables(generator.prior.transformer), class_tables(transformer), strict=True
        )
        for known, new in tables:
            mean = known[:-1].mean(0)
            for at, share in enumerate(mixed):  # one by one: sums do not depend on their number
                apart = (known[:-1] - mean).double() * share[:, None].to(known.device)
                new[at] = mean + apart.sum(0).to(mean)
            new[-1] = known[-1]
    transformer = transformer.eval().requires_grad_(False)
    prior = replace(generator.prior, transformer=transformer)
    return replace(generator, prior=prior, names=tuple(f"new-{at:05}" for at in range(n)))


def shares(n: int, n_known: int, seed: int) -> Float[torch.Tensor, "newcomer known"]:
    """A / |a| of each newcomer: what it has of each known person, a row of length 1."""
    shares = np.zeros((n, n_known))
    for at in range(n):
        draws = numbers(seed, "identity/newcomers", at)
        parents = draws.permutation(n_known)[:PARENTS]
        share = draws.dirichlet(np.ones(len(parents)))
        shares[at, parents] = share / np.linalg.norm(share)
    return torch.from_numpy(shares)
