import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_pictures import drawn_set
from torch import nn

from reinforge.errors import InputError
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.exported import EXPRESSION, OPERATION
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.recognition.train import train_recogniser

FACE_NET = Path(os.environ.get("REINFORGE_DATA", "data")) / "weights" / "face_mobileface_v3.pt2"


class Bands(nn.Module):
    """The mean of each channel's four corners: a network whose features can be told by hand."""

    def forward(self, pixels):
        return nn.functional.adaptive_avg_pool2d(pixels, 2).flatten(1)


def export(path, *, network=None, shape=(2, 3, 8, 8), free=(0,)):
    dims = {axis: torch.export.Dim.AUTO for axis in free}
    network = (network or Bands()).eval()
    program = torch.export.export(network, (torch.rand(shape),), dynamic_shapes=(dims,))
    torch.export.save(program, path)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return export(tmp_path_factory.mktemp("export") / "bands.pt2")


@pytest.fixture
def bands(archive, tmp_path):
    return Path(shutil.copy(archive, tmp_path / "bands.pt2"))


def rewritten(path, change):
    """The archive with the entries that `change` gives anew."""
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, part in entries.items():
            new.writestr(name, change(name, part))
    return path


def test_an_exported_network_embeds_grey_pictures_of_any_size(bands):
    encoder = load_encoder(bands)
    assert isinstance(encoder, Encoder)
    feature = encoder.embed(torch.full((2, 1, 40, 30), 100.0))
    torch.testing.assert_close(feature, torch.full((2, 12), 12**-0.5))
    assert encoder.feature_dim == 12


def test_gradients_reach_the_pixels(bands):
    pixels = (torch.rand((2, 3, 8, 8)) * 255).requires_grad_()
    load_encoder(bands).embed(pixels)[:, 0].sum().backward()
    assert pixels.grad.abs().sum() > 0


def test_mean_and_std_come_from_the_json_file_and_arguments_go_before_it(bands):
    bands.with_suffix(".json").write_text(json.dumps({"mean": [50, 50, 50], "std": [2]}))
    pixels = torch.full((1, 3, 8, 8), 50.0)
    pixels[:, 0] = 60.0  # (60 - 50) / 2 in the first channel, 0 in the others
    expected = torch.tensor([[0.5] * 4 + [0.0] * 8])
    torch.testing.assert_close(load_encoder(bands).embed(pixels), expected)
    shifted = load_encoder(bands, mean=(60.0, 50.0, 50.0), std=(1.0,)).embed(pixels + 1)
    torch.testing.assert_close(shifted, torch.full((1, 12), 12**-0.5))


def test_all_pictures_of_a_set_are_embedded_in_batches(bands):
    images = drawn_set(channel=3, side=8)
    encoder = load_encoder(bands)
    whole = encoder.embed_all(images)
    assert whole.shape == (24, 12)
    torch.testing.assert_close(encoder.embed_all(images.pixels, batch=5), whole)


def test_a_folder_is_a_saved_recogniser(tmp_path):
    images = drawn_set()
    config = resolve_recogniser("small", width=8, n_steps=1, embedding_dim=8)
    recogniser = train_recogniser(images, config=config, seed=0)
    recogniser.save(tmp_path)
    encoder = load_encoder(tmp_path)
    assert isinstance(encoder, Encoder)
    assert torch.equal(encoder.embed_all(images), recogniser.embed_all(images))


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.bin", "net.ckpt"])
def test_pickled_weights_are_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="pickled weights"):
        load_encoder(tmp_path / name)


def test_a_file_that_is_no_archive_and_one_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "net.pt2").write_bytes(b"not a zip")
    with pytest.raises(InputError, match="no readable torch"):
        load_encoder(tmp_path / "net.pt2")
    with pytest.raises(InputError, match="cannot be read"):
        load_encoder(tmp_path / "gone.pt2")


def test_sample_inputs_are_not_unpickled(bands):
    def change(name, part):
        return b"cos\nsystem\n(S'exit 1'\ntR." if "/sample_inputs/" in name else part

    assert load_encoder(rewritten(bands, change)).feature_dim == 12


def test_pickled_constants_are_refused(bands):
    about = {"config": {"x": {"path_name": "opaque_obj_0", "use_pickle": True}}}

    def change(name, part):
        return json.dumps(about).encode() if "constants_config" in name else part

    with pytest.raises(InputError, match="pickled tensors or objects"):
        load_encoder(rewritten(bands, change))


def test_calls_of_anything_but_tensor_operations_are_refused(bands):
    def change(name, part):
        return part.replace(b"torch.ops.aten.flatten.using_ints", b"torch.os.system")

    with pytest.raises(InputError, match=r"calls 'torch.os.system'"):
        load_encoder(rewritten(bands, change))


@pytest.mark.parametrize(
    "name", ["torch.os.system", "_operator.call", "math.x", "torch.ops.aten.x", "torch.load"]
)
def test_names_that_reach_beyond_tensors_are_no_operations(name):
    assert not OPERATION.fullmatch(name)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "Symbol('s7').func",
        "exec('x')",
        "Integer(1) if 1 else 2",
        "open('file')",
        "lambda: 1",
    ],
)
def test_expressions_that_could_run_code_are_refused(text):
    assert not EXPRESSION.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [
        "s77",
        "Symbol('s77', positive=True, integer=True)",
        "Add(FloorDiv(Add(Symbol('s16', positive=True, integer=True), Integer(-1)), Integer(2)))",
    ],
)
def test_expressions_of_shapes_are_read(text):
    assert EXPRESSION.fullmatch(text)


def test_a_fixed_batch_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="batches of exactly 2; export it with a free batch"):
        load_encoder(export(tmp_path / "fixed.pt2", free=()))


def test_a_network_of_any_size_wants_its_size_stated(tmp_path):
    path = export(tmp_path / "free.pt2", free=(0, 2, 3))
    with pytest.raises(InputError, match="state size and channels"):
        load_encoder(path)
    assert load_encoder(path, size=(6, 4)).feature_dim == 12


@pytest.mark.parametrize(
    ("wants", "message"),
    [
        ({"size": (9, 9)}, "exported for height 8, but 9 is stated"),
        ({"channels": 1}, "exported for channels 3, but 1 is stated"),
        ({"mean": (1.0, 2.0)}, "one mean and std or one a channel"),
        ({"std": (0.0,)}, "std must not be 0"),
        ({"sise": (8, 8)}, "did you mean 'size'"),
    ],
)
def test_what_is_stated_must_fit_the_export(bands, wants, message):
    with pytest.raises(InputError, match=message):
        load_encoder(bands, **wants)


@pytest.mark.skipif(not FACE_NET.is_file(), reason="the face net is not here")
def test_a_face_net_tells_two_random_pictures_apart():
    pixels = np.random.default_rng(0).integers(0, 255, (2, 112, 112, 3)).astype(np.uint8)
    feature = load_encoder(FACE_NET).embed_all(pixels)
    assert feature.shape == (2, 256)
    assert float(feature[0] @ feature[1]) < 0.999
