"""People who do not exist: mixtures of known ones, as classes of a generator of their own.

A recogniser learns what sets people apart from many people, and the scarce source has few. Between
the rows of the class table lie others, and each is somebody whom the generator draws. Those it was
taught are few, and newcomers mixed from them take after them; a prior whose classes are people
knows many more, who are nobody's secret; and one that draws by likeness needs no parents.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from diffusers import DiTTransformer2DModel
from jaxtyping import Float

from reinforge.errors import InputError
from reinforge.generators.dit import class_tables, null_label, put_rows, with_class_table
from reinforge.randomness import generator as numbers
from reinforge.systems.identity.saved import Generator

PARENTS = 3  # of each newcomer; fewer where there are not so many people
GUIDANCE = 3.0  # towards whom the prior knows: its rows say little of a person by themselves
LIKENESS_GUIDANCE = 2.0  # towards whom is described

Parents = Literal["auto", "learnt", "prior"]


def newcomers(
    generator: Generator, n: int, *, seed: int, parents: Parents = "auto", apart: bool = False
) -> Generator:
    """A generator of n people who do not exist.

    With rows r_i of the parents and their mean m, the row of a newcomer is

        m' + sum_i a_i (r_i - m) / |a|,    a ~ Dirichlet(1) over `PARENTS` people drawn at random,

    m' the mean of the learnt people, so that newcomers lie as far from it as people do, and not
    nearer to it as averages would. A newcomer is a function of the seed and of its number.

    Args:
        generator: Of learnt people.
        n: How many, 1 or more.
        seed: Who they are.
        parents: The learnt people; or those of the prior, whose newcomers are drawn with guidance:
            a prior that draws by likeness is told features of nobody, drawn from their spread.
            "auto" takes those of a prior that draws by likeness, and the learnt ones of others.
        apart: Those of many whose features are least alike, for a prior that draws by likeness.

    Raises:
        InputError: A number below 1, not two people to mix, or mixed ones that should be apart.
    """
    if n < 1:
        raise InputError(f"newcomers: at least 1 is wanted, got {n}.")
    describing = generator.nobody or generator.prior  # older models have but one network
    if parents != "learnt" and describing.likeness is not None:
        generator = replace(generator, prior=describing, nobody=None)
        return _described(generator, n, seed=seed, apart=apart)
    if apart:
        raise InputError(
            "newcomers: apart chooses among whom a prior draws by likeness, and these would be "
            "mixed from parents; leave it out."
        )
    own = class_tables(generator.prior.transformer)
    if parents == "prior":
        offsets = [table.to(own[0]) for table in generator.strangers]
        lacking = "people of the prior, whose classes are none; take learnt people as parents"
    else:
        offsets = [table[:-1] - table[:-1].mean(0) for table in own]
        lacking = "learnt people, and there is but one"
    if not offsets or len(offsets[0]) < 2:
        raise InputError(f"newcomers are mixed from {lacking}.")
    mixed = shares(n, len(offsets[0]), seed)
    transformer = with_class_table(generator.prior.transformer, n)
    with torch.no_grad():
        for known, parts, new in zip(own, offsets, class_tables(transformer), strict=True):
            mean = known[:-1].mean(0)
            for at, share in enumerate(mixed):  # one by one: sums do not depend on their number
                part = parts.double() * share[:, None].to(known.device)
                new[at] = mean + part.sum(0).to(mean)
            new[-1] = known[-1]
    transformer = transformer.eval().requires_grad_(False)
    config = generator.config
    if parents == "prior":
        config = config.model_copy(update={"guidance": max(config.guidance, GUIDANCE)})
    return _of_nobody(replace(generator, config=config), transformer)


def _described(generator: Generator, n: int, *, seed: int, apart: bool) -> Generator:
    """Newcomers of a prior that draws by likeness: whom nobody looks like is drawn, not mixed."""
    known, likeness = generator.prior.transformer, generator.prior.likeness
    assert likeness is not None
    transformer = with_class_table(known, n)
    feature = (likeness.strangers_apart if apart else likeness.strangers)(n, seed=seed)
    put_rows(transformer, likeness.rows(feature), nobody_of=known)
    guidance = max(generator.config.guidance, LIKENESS_GUIDANCE)
    config = generator.config.model_copy(update={"guidance": guidance})
    told = replace(generator, config=config, described=feature)
    return _of_nobody(told, transformer.eval().requires_grad_(False))


def _of_nobody(generator: Generator, transformer: DiTTransformer2DModel) -> Generator:
    """The generator with other classes, who are called new-00000 and so on, as nobody learnt is."""
    n, prefix = null_label(transformer), "new"
    while any(name.startswith(f"{prefix}-") for name in generator.names):
        prefix += "_"
    return replace(
        generator,
        prior=replace(generator.prior, transformer=transformer),
        names=tuple(f"{prefix}-{at:05}" for at in range(n)),
    )


def shares(n: int, n_known: int, seed: int) -> Float[torch.Tensor, "newcomer known"]:
    """A / |a| of each newcomer: what it has of each known person, a row of length 1."""
    shares = np.zeros((n, n_known))
    for at in range(n):
        draws = numbers(seed, "identity/newcomers", at)
        parents = draws.permutation(n_known)[:PARENTS]
        share = draws.dirichlet(np.ones(len(parents)))
        shares[at, parents] = share / np.linalg.norm(share)
    return torch.from_numpy(shares)
