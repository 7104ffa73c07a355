"""Pictures of people who differ in the colours of four fields, and encoders that read them off."""

from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d, normalize

from reinforge.evaluation.picture_levels import picture_level
from reinforge.evaluation.picture_scorecard import evaluate_pictures
from reinforge.evaluation.picture_space import Embedded, Space
from reinforge.recognition.recogniser import embed_pictures
from reinforge.records import ImageSet, PictureSplit

SIDE = 12
QUICK = picture_level("quick")


class Fields:
    """An encoder: the mean colours of four fields, about grey."""

    feature_dim = 12
    device = torch.device("cpu")

    def embed(self, pixels):
        return normalize((adaptive_avg_pool2d(pixels, 2) - 128).flatten(1), dim=1)

    def embed_all(self, images, batch=256):
        return embed_pictures(self, images, batch=batch)


class Corner(Fields):
    """An encoder that reads the person's number, which `marked` wrote into a corner."""

    feature_dim = 64

    def embed(self, pixels):
        return torch.eye(64)[pixels[:, 0, 0, 0].long() % 64]


class Level(Fields):
    """An encoder to whom all pictures are alike."""

    def embed(self, pixels):
        return torch.ones(len(pixels), 12) / 12**0.5


class Broken(Fields):
    """An encoder that fails."""

    def embed(self, pixels):
        return torch.full((len(pixels), 12), torch.nan)


def people(n_people, n_pictures, *, seed=0, first=0, spread=20.0):
    """Pictures of people by number; a person's looks follow from the number, and pictures from
    the seed."""
    rng = np.random.default_rng(seed)
    looks = np.stack(
        [
            np.random.default_rng(1000 + first + i).uniform(50, 206, (2, 2, 3))
            for i in range(n_people)
        ]
    )
    identity = np.repeat(np.arange(n_people), n_pictures)
    colours = looks[identity] + rng.normal(0, spread, (len(identity), 2, 2, 3))
    fields = colours.repeat(SIDE // 2, axis=1).repeat(SIDE // 2, axis=2)
    fine = rng.normal(0, 30, (len(identity), SIDE // 2, SIDE // 2, 1))  # what a hash sees
    pixels = fields + fine.repeat(2, axis=1).repeat(2, axis=2)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    names = tuple(f"p{first + i}" for i in range(n_people))
    return ImageSet(pixels=pixels, identity=identity.astype(np.int64), names=names)


def looks_of(number):
    return np.random.default_rng(1000 + number).uniform(50, 206, (2, 2, 3))


def marked(images):
    pixels = np.array(images.pixels)
    pixels[:, 0, 0, 0] = images.identity
    return replace(images, pixels=pixels)


def strangers(n_people=20, n_pictures=7, *, seed=5, groups="ab"):
    images = people(n_people, n_pictures, seed=seed, first=500)
    group = tuple(groups[i % len(groups)] for i in images.identity) if groups else None
    return replace(images, group=group)


def nobodies(n_people=15, n_pictures=4, *, seed=6):
    """People who are neither learnt nor real."""
    images = people(n_people, n_pictures, seed=seed, first=800)
    return replace(images, names=tuple(f"new-{i:05}" for i in range(n_people)))


def split_of(n_people=14, n_pictures=4, **unseen):
    return PictureSplit(
        train=people(n_people, n_pictures, seed=1),
        holdout=people(n_people, n_pictures, seed=2),
        unseen=strangers(**unseen),
    )


def judged(split, synthetic, **settings):
    return evaluate_pictures(
        split, synthetic, **{"judge": Fields(), "level": "quick", "seed": 3} | settings
    )


def on_a_circle(*degrees, identity):
    """Features by their angle: the distance of two is 2 sin(half the angle between them)."""
    angle = np.radians(np.array(degrees, dtype=float))
    feature = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Embedded(feature=feature, identity=np.array(identity, dtype=np.int64))


NOBODY = Embedded(feature=np.empty((0, 2)), identity=np.empty(0, dtype=np.int64))


def space(**parts):
    return Space(
        **dict.fromkeys(("train", "holdout", "unseen", "synthetic", "newcomers"), NOBODY) | parts
    )


def chord(degrees):
    return 2 * np.sin(np.radians(degrees) / 2)
