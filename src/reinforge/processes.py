"""Several processes that train together: who does what, and what they tell one another.

`accelerate launch` or `torchrun` starts them and says in the environment how many they are; a
program that was started alone is a team of one, for which everything here is free. A share is a
function of the number of items alone and randomness is keyed by item, so that what is computed
depends on nobody's rank, but for the order of sums.
"""

import contextlib
import math
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import torch
from jaxtyping import Shaped
from torch import Tensor
from torch.optim import Optimizer

from reinforge.errors import InputError, ReinforgeError
from reinforge.policy_gradient.update import take_step

Device = Literal["auto", "cpu", "cuda"]

PATIENCE = timedelta(minutes=15)  # the longest wait for another process, a checkpoint's included
BUCKET = 25_000_000  # numbers that are summed at once: 100 MB


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among those that train together; alone by default."""

    rank: int = 0
    n: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def share(self, n_items: int, *, together: int = 1) -> slice:
        """Which items are this process's: as equal as can be, and in the order of ranks.

        Args:
            n_items: Of all processes.
            together: Runs of so many items are never parted.

        Raises:
            InputError: Fewer runs than processes.
        """
        if self.n == 1:
            return slice(0, n_items)
        n_runs = n_items // together
        if n_items % together or n_runs < self.n:
            raise InputError(
                f"{n_items} items in runs of {together} are too few, or do not fit, for {self.n} "
                "processes; launch fewer, or raise the size of a batch."
            )
        first, last = (n_runs * rank // self.n * together for rank in (self.rank, self.rank + 1))
        return slice(first, last)

    def gather(self, part: Shaped[Tensor, "item ..."]) -> Shaped[Tensor, "whole ..."]:
        """The parts of all processes end to end, in the order of ranks; they may differ in length.

        No gradient flows through.
        """
        if self.n == 1:
            return part
        from torch import distributed

        own = part.detach().to(self.device).contiguous()
        with self._waiting():
            lengths = self._gather_equal(torch.tensor([len(own)], device=self.device))
            longest = int(max(lengths))
            padded = own.new_zeros((longest, *own.shape[1:]))
            padded[: len(own)] = own
            parts = [torch.empty_like(padded) for _ in range(self.n)]
            distributed.all_gather(parts, padded)
        cut = [one[: int(length)] for one, length in zip(parts, lengths, strict=True)]
        return torch.cat(cut).to(part.device)

    def sum(self, value: float) -> float:
        """The sum of a number over all processes; float64."""
        if self.n == 1:
            return value
        return float(self.gather(torch.tensor([value], dtype=torch.float64)).sum())

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in at least one process; all get the same answer."""
        return self.sum(float(flag)) > 0

    def barrier(self) -> None:
        """Wait until every process has come here."""
        self.any(False)

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace each gradient by its sum over all processes.

        A process whose loss is weighted with its share of the batch so gets the batch's gradient.
        Every process holds gradients of the same parameters, since all run the same passes.
        """
        if self.n == 1:
            return
        from torch import distributed

        for bucket in _buckets([p.grad for p in parameters if p.grad is not None]):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            with self._waiting():
                distributed.all_reduce(flat)
            for gradient, whole in zip(
                bucket, flat.split([g.numel() for g in bucket]), strict=True
            ):
                gradient.copy_(whole.view_as(gradient))

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors in place by those of the first process."""
        if self.n == 1:
            return
        from torch import distributed

        for tensor in tensors:
            told = tensor.detach().to(self.device).contiguous()
            with self._waiting():
                distributed.broadcast(told, src=0)
            with torch.no_grad():
                tensor.copy_(told)

    def close(self) -> None:
        """Part in peace; the last thing that a launched program does."""
        if self.n > 1:
            from accelerate import PartialState

            PartialState().destroy_process_group()

    def _gather_equal(self, own: Tensor) -> list[Tensor]:
        from torch import distributed

        parts = [torch.empty_like(own) for _ in range(self.n)]
        distributed.all_gather(parts, own)
        return parts

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        """Turn what torch says when another process is gone into one line."""
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            _abandon()
            raise _lost(self.rank, self.n, error) from error


def _abandon() -> None:
    """Join gloo's threads: those that still wait would abort the interpreter at its end."""
    from torch import distributed

    if distributed.is_initialized() and distributed.get_backend() == "gloo":
        distributed.destroy_process_group()


ALONE = Processes()


def take_common_step(
    processes: Processes,
    optimizer: Optimizer,
    loss: float,
    *,
    max_grad_norm: float | None = None,
) -> tuple[float, float, bool]:
    """One step of all processes along the sum of their gradients.

    Args:
        processes: Each has run its share of the passes.
        optimizer: Holds the weights, the same in all, and this process's gradients.
        loss: This process's part of the loss.
        max_grad_norm: Gradients are scaled down to this norm; None leaves them.

    Returns:
        The whole loss, the gradients' norm, and whether the step was taken: the same in all.
    """
    processes.sum_gradients(p for group in optimizer.param_groups for p in group["params"])
    whole = processes.sum(loss)
    norm, taken = take_step(optimizer, max_grad_norm=max_grad_norm, finite=math.isfinite(whole))
    return whole, norm, taken


def launched(device: Device = "auto", *, patience: timedelta = PATIENCE) -> Processes:
    """The processes that were launched together with this one; alone where nobody launched it.

    Args:
        device: "cuda" wants a GPU for each process, "auto" takes one where there is one.
        patience: The longest wait for another process, before this one gives up.

    Raises:
        InputError: No GPU, or too few for the processes of this machine.
        ReinforgeError: The others did not come in time.
    """
    kind = _kind(device)
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if n == 1:
        _warn_of_a_lonely_launch()
        return Processes(device=torch.device(kind))
    _refuse_shared_gpus(kind)
    from accelerate import PartialState

    try:
        state = PartialState(cpu=kind == "cpu", timeout=patience)
    except RuntimeError as error:
        raise _lost(int(os.environ.get("RANK", "0")), n, error) from error
    return Processes(rank=state.process_index, n=state.num_processes, device=state.device)


def _kind(device: Device) -> str:
    if device == "cpu":
        return "cpu"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # torch warns where a driver is too old for it
        has_gpu = torch.cuda.is_available()
    if has_gpu:
        return "cuda"
    reason = "; ".join(" ".join(str(warning.message).split()) for warning in said)
    if device == "cuda":
        why = "no driver answers, or no GPU is visible" if torch.version.cuda else "a CPU build"
        raise InputError(
            f"device=cuda: this torch sees no GPU ({reason or why}); set device=cpu or device=auto,"
            " or mend what nvidia-smi, CUDA_VISIBLE_DEVICES or the build of torch show."
        )
    if reason:
        warnings.warn(f"device=auto takes the CPU: {reason}", stacklevel=3)
    return "cpu"


def _refuse_shared_gpus(kind: str) -> None:
    n_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if kind == "cuda" and n_here > torch.cuda.device_count():
        raise InputError(
            f"{n_here} processes on a machine with {torch.cuda.device_count()} GPUs; launch one "
            "process a GPU, or set device=cpu."
        )


def _warn_of_a_lonely_launch() -> None:
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() == "true" and "MASTER_PORT" in os.environ:
        warnings.warn(
            "accelerate launch --cpu starts one process, whatever --num_processes says; for "
            "several on CPUs use accelerate launch --multi_gpu --num_processes N with device=cpu, "
            "or torchrun --nproc_per_node N.",
            stacklevel=3,
        )


def _lost(rank: int, n: int, error: RuntimeError) -> ReinforgeError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = re.sub(r"^\[\S+:\d+\] ", "", lines[0]).partition(". ")[0]  # without the place in C++
    return ReinforgeError(
        f"process {rank} of {n} lost touch with another one, which has ended or hangs ({reason}); "
        "the cause stands in that one's output, and --resume goes on from the last checkpoint."
    )


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and size + gradient.numel() > BUCKET:
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.numel()
    if bucket:
        yield bucket
