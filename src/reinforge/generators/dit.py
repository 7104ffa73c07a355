"""Diffusion transformers (DiT, arXiv:2212.09748): new ones, predictions, class tables.

diffusers gives every block embedders of its own for time and class, and drops labels inside them,
in each block by another draw. Here labels are dropped by whoever trains, once a sample, so that
dropping is off in every transformer that this file hands out.
"""

import copy
import math
from collections.abc import Sequence

import torch
from diffusers import DiTTransformer2DModel
from diffusers.models.embeddings import CombinedTimestepLabelEmbeddings, LabelEmbedding
from jaxtyping import Float, Int
from torch import Tensor, nn

from reinforge.errors import InputError
from reinforge.generators.start import Start
from reinforge.randomness import torch_generator


def new_dit(
    *,
    size: int,
    channels: int,
    patch: int,
    n_layers: int,
    n_heads: int,
    head_dim: int,
    n_classes: int,
    learn_sigma: bool = False,
    seed: int,
) -> DiTTransformer2DModel:
    """A transformer with first weights as the paper sets them (adaLN-Zero, sec. 3.2).

    Args:
        size: Height and width of the latents, or of the pictures.
        channels: Of the latents, or of the pictures.
        patch: Side of a patch.
        n_layers: Blocks.
        n_heads: Attention heads.
        head_dim: Width of a head; all heads together are the width of the model.
        n_classes: Rows of the class table, the null row not counted.
        learn_sigma: Predict a variance beside the noise, in as many channels again.
        seed: Of the first weights; global generators are left alone.

    Raises:
        InputError: Sizes that do not fit each other.
    """
    width = n_heads * head_dim
    if size % patch or width % 4 or min(size, patch, n_layers, n_heads, n_classes, channels) < 1:
        raise InputError(
            f"DiT: size ({size}) must be a multiple of patch ({patch}), n_heads * head_dim "
            f"({width}) a multiple of 4, and every count at least 1."
        )
    with torch.random.fork_rng(devices=[]):  # constructors draw; what they draw is overwritten
        transformer = DiTTransformer2DModel(
            num_attention_heads=n_heads,
            attention_head_dim=head_dim,
            in_channels=channels,
            out_channels=channels * (2 if learn_sigma else 1),
            num_layers=n_layers,
            sample_size=size,
            patch_size=patch,
            num_embeds_ada_norm=n_classes,
            norm_eps=1e-6,  # of the paper's code; diffusers would take 1e-5 for one norm in two
        )
    _first_weights(transformer, torch_generator(seed, "identity/dit"))
    return without_label_dropout(transformer)


def _first_weights(transformer: DiTTransformer2DModel, generator: torch.Generator) -> None:
    for name, parameter in transformer.named_parameters():
        data = parameter.data
        if "norm1.linear" in name or name.startswith("proj_out") or parameter.ndim == 1:
            data.zero_()  # every block starts as the identity, and the prediction as 0
        elif "embedder" in name:
            nn.init.normal_(data, std=0.02, generator=generator)
        else:
            nn.init.xavier_uniform_(data.flatten(1), generator=generator)


def without_label_dropout(transformer: DiTTransformer2DModel) -> DiTTransformer2DModel:
    """Switch the dropping of labels off, which diffusers does block by block in train mode."""
    for embedder in _embedders(transformer):
        embedder.class_embedder.dropout_prob = 0.0
    return transformer


def predict(
    transformer: nn.Module,
    noisy: Float[Tensor, "draw channel height width"],
    time: Int[Tensor, " draw"],
    label: Int[Tensor, " draw"],
    *,
    bf16: bool = False,
) -> Float[Tensor, "draw channel height width"]:
    """What the network says about noisy latents, float32.

    A second half of the channels, the variance that some priors learned, is left out: it takes no
    part in the kernel of the chain.

    Args:
        transformer: A DiT, wrapped for several processes or not.
        noisy: The states.
        time: Of each state, 0 the cleanest.
        label: Row of the class table; the last row is the null class.
        bf16: Run the network in bfloat16 by autocast; weights stay as they are.
    """
    with torch.autocast(noisy.device.type, torch.bfloat16, enabled=bf16):
        predicted = transformer(noisy, timestep=time, class_labels=label, return_dict=False)[0]
    return predicted[:, : noisy.shape[1]].float()


def with_class_table(
    transformer: DiTTransformer2DModel, n_identities: int, *, start: Start = "zero"
) -> DiTTransformer2DModel:
    """A copy whose classes are identities: n_identities + 1 rows in every block, the last null.

    Args:
        transformer: Of the prior; it stays as it is.
        n_identities: Rows beside the null row.
        start: "zero" as the paper has it; "prior" repeats in every row what the prior knows of no
            class in particular: its null row, or the one class of an unconditional prior.

    Raises:
        InputError: Not even one identity.
    """
    if n_identities < 1:
        raise InputError(f"class table: at least 1 identity is needed, got {n_identities}.")
    tables = [embedder.class_embedder for embedder in _embedders(transformer)]
    replaced = {id(table): nn.Identity() for table in tables}  # spares the copy the old rows
    adapted = copy.deepcopy(transformer, replaced)
    for embedder, old in zip(_embedders(adapted), tables, strict=True):
        embedder.class_embedder = _table(old, n_identities, start)
    adapted.register_to_config(num_embeds_ada_norm=n_identities)
    return adapted


def _table(old: LabelEmbedding, n_identities: int, start: Start) -> LabelEmbedding:
    rows = old.embedding_table.weight.detach()
    row = rows[0] if old.num_classes == 1 else rows[-1]
    first = row if start == "prior" else torch.zeros_like(row)
    return _table_of(first.expand(n_identities + 1, -1).clone())


def _table_of(rows: Float[Tensor, "class width"], *, is_trained: bool = True) -> LabelEmbedding:
    """A class table of these rows, the last of them the null row."""
    with torch.random.fork_rng(devices=[]):  # it draws; what it draws is overwritten
        table = LabelEmbedding(len(rows) - 1, rows.shape[1], 0.1)  # above 0: with a null row
    table.dropout_prob = 0.0
    table.embedding_table.weight = nn.Parameter(rows, is_trained)
    return table


@torch.no_grad()
def put_rows(
    transformer: DiTTransformer2DModel, rows: Sequence[Tensor], *, nobody_of: DiTTransformer2DModel
) -> None:
    """Put first rows into the class table of each block, and another network's null row.

    Args:
        transformer: With as many classes, or more.
        rows: By block.
        nobody_of: Of the same width.
    """
    tables = (class_tables(transformer), rows, class_tables(nobody_of))
    for table, first, other in zip(*tables, strict=True):
        table[: len(first)] = first.to(table)
        table[-1] = other[-1].to(table)


@torch.no_grad()
def first_classes(transformer: DiTTransformer2DModel, n: int) -> DiTTransformer2DModel:
    """The same network with the first n classes of its table, and the null row; it is changed."""
    for embedder in _embedders(transformer):
        rows = embedder.class_embedder.embedding_table.weight
        kept = torch.cat([rows[:n], rows[-1:]])
        embedder.class_embedder = _table_of(kept, is_trained=rows.requires_grad)
    transformer.register_to_config(num_embeds_ada_norm=n)
    return transformer


def class_tables(transformer: DiTTransformer2DModel) -> list[nn.Parameter]:
    """The class table of every block: the head of the cold start."""
    return [e.class_embedder.embedding_table.weight for e in _embedders(transformer)]


def null_label(transformer: DiTTransformer2DModel) -> int:
    """The row of the class table that stands for no class."""
    return int(transformer.config.num_embeds_ada_norm)


def use_original_frequencies(transformer: DiTTransformer2DModel) -> DiTTransformer2DModel:
    """Space the frequencies of time as the DiT authors' code does.

    Theirs are 10000^(-i / 128), those of diffusers 10000^(-i / 127): weights of one belong with it.
    """
    for embedder in _embedders(transformer):
        embedder.time_proj.downscale_freq_shift = 0
    return transformer


def has_original_frequencies(transformer: DiTTransformer2DModel) -> bool:
    """Whether time is embedded as in the DiT authors' code, see `use_original_frequencies`."""
    return all(e.time_proj.downscale_freq_shift == 0 for e in _embedders(transformer))


def side_of(transformer: DiTTransformer2DModel) -> int:
    """Height and width of the latents."""
    return int(transformer.config.sample_size)


def n_parameters(transformer: nn.Module) -> int:
    """How many numbers the weights hold, copies of the embedders included."""
    return sum(math.prod(parameter.shape) for parameter in transformer.parameters())


def _embedders(transformer: DiTTransformer2DModel) -> list[CombinedTimestepLabelEmbeddings]:
    return [block.norm1.emb for block in transformer.transformer_blocks]
