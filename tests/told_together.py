"""What each of two processes runs; test_processes.py starts them and reads what they say."""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch

from reinforge import processes as room
from reinforge.errors import ReinforgeError
from reinforge.training import Place, train


def talk(team):
    part = torch.arange(team.rank + 1)[:, None].expand(-1, 2) + 10 * team.rank
    weights = [torch.nn.Parameter(torch.zeros(size)) for size in (2, 3, 2)]
    for number, weight in enumerate(weights):
        weight.grad = torch.full_like(weight, float((number + 1) * (team.rank + 1)))
    untouched = torch.nn.Parameter(torch.zeros(1))
    room.BUCKET = 4
    team.sum_gradients([*weights, untouched])
    first = torch.tensor([7.0, float(team.rank)])
    team.copy_first([first])
    told = {
        "gathered": team.gather(part).tolist(),
        "sum": team.sum(team.rank + 1.0),
        "any": [team.any(team.rank == 1), team.any(False)],
        "gradients": [weight.grad.tolist() for weight in weights],
        "untouched": untouched.grad,
        "first": first.tolist(),
    }
    team.barrier()
    sys.stdout.write(json.dumps(told) + "\n")
    team.close()


class Nothing:
    """A trainee that holds one number."""

    def __init__(self):
        self.weight = torch.zeros(1)

    def tensors(self):
        return {"weight": self.weight}

    def load_tensors(self, state):
        self.weight.copy_(state["weight"])


def train_until(team, act):
    """Train; the second process acts at its third step."""

    def step(index):
        if team.rank == 1 and index == 2:
            act()
        return {"sum": team.sum(1.0)}

    train(Nothing(), step, 5, processes=team)


def miss(team, folder):
    """Only the first one's folder holds a checkpoint, as on disks that are not shared."""
    place = Place(folder=folder / str(team.rank), fingerprint="same", every=2)
    if team.is_first:
        train(Nothing(), lambda _: {}, 2, place=place)
    team.barrier()
    train(Nothing(), lambda _: {}, 4, place=place, resume=True, processes=team)


def main(role, folder):
    patience = timedelta(seconds=5 if role == "hang" else 120)
    if role == "hang":
        while not (folder / "ready").exists() and os.environ["RANK"] == "0":
            time.sleep(0.1)
        (folder / "ready").touch()
    team = room.launched("cpu", patience=patience)
    if role == "talk":
        talk(team)
    elif role == "miss":
        miss(team, folder)
    else:
        train_until(team, lambda: os._exit(3) if role == "die" else time.sleep(1000))


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except ReinforgeError as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(error.exit_code)
