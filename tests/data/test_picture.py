"""Decoding one picture: each colour form becomes pixels by its rule, each damage a reason."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from small_pictures import encoded, pixels

from reinforge.data import picture as picture_module
from reinforge.data.picture import UnreadablePictureError, Wanted, decode, refit
from reinforge.errors import InputError

ANY = Wanted()
RED, WHITE = [255, 0, 0], [255, 255, 255]


def _saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def _flat(mode, colour, size=(12, 8)):
    return Image.new(mode, size, colour)


def _reason(content, wanted=ANY):
    with pytest.raises(UnreadablePictureError) as caught:
        decode(content, wanted)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _corner(content, wanted=ANY):
    return decode(content, wanted).pixels[0, 0].tolist()


def test_a_lossless_picture_keeps_every_pixel():
    array = pixels(1, 9, 14)
    np.testing.assert_array_equal(decode(encoded(array), ANY).pixels, array)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "JPEG", "WEBP", "GIF"])
def test_the_format_is_told_by_the_content(kind):
    array = pixels(2)
    decoded = decode(encoded(array, kind), ANY).pixels
    assert decoded.shape == (16, 16, 3)
    assert np.abs(decoded.astype(int) - array).mean() < 16  # lossy ones and a palette


FORMS = {
    "grey": (_flat("L", 77), [77]),
    "black and white": (_flat("1", 1), [255]),
    "colour": (_flat("RGB", (9, 8, 7)), [9, 8, 7]),
    "half transparent red over white": (_flat("RGBA", (255, 0, 0, 128)), [255, 127, 127]),
    "wholly transparent black is white": (_flat("RGBA", (0, 0, 0, 0)), WHITE),
    "grey with transparency": (_flat("LA", (100, 0)), [255]),
    "opaque grey with transparency": (_flat("LA", (100, 255)), [100]),
    "16 bits keep the high 8": (Image.fromarray(np.full((8, 12), 0xAB7F, "uint16")), [0xAB]),
}


@pytest.mark.parametrize(("image", "expected"), FORMS.values(), ids=FORMS)
def test_a_form_of_colour_becomes_pixels_by_its_rule(image, expected):
    assert _corner(_saved(image)) == expected


def test_a_palette_becomes_its_colours():
    image = _flat("P", 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert _corner(_saved(image)) == RED


@pytest.mark.parametrize("transparency", [1, bytes([255, 0])])
def test_a_transparent_palette_entry_is_white(transparency):
    image = _flat("P", 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert _corner(_saved(image, transparency=transparency)) == WHITE


def test_a_transparent_colour_of_a_grey_picture_is_white_and_stays_grey():
    assert _corner(_saved(_flat("L", 50), transparency=50)) == [255]


def test_sixteen_bits_of_a_pgm_keep_the_high_eight():
    row = np.full((8, 12), 0xAB7F, ">u2").tobytes()
    assert _corner(b"P5 12 8 65535\n" + row) == [0xAB]


def test_cmyk_without_a_profile_is_one_minus_ink():
    content = _saved(_flat("CMYK", (0, 255, 255, 0)), "TIFF")
    assert _corner(content) == RED


def test_a_cmyk_jpeg_is_not_inverted():
    red, green, blue = _corner(_saved(_flat("CMYK", (0, 255, 255, 0)), "JPEG"))
    assert red > 240
    assert max(green, blue) < 20


def _profile_bgr():
    """A profile of sRGB's curves whose red primary is blue and the other way round."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    n_tags = struct.unpack(">I", content[128:132])[0]
    for at in range(132, 132 + 12 * n_tags, 12):
        name = bytes(content[at : at + 4])
        if name in (b"rXYZ", b"bXYZ"):
            content[at : at + 4] = b"bXYZ" if name == b"rXYZ" else b"rXYZ"
    return bytes(content).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_colours_with_a_profile_are_brought_to_srgb():
    content = _saved(_flat("RGB", (255, 0, 0)), icc_profile=_profile_bgr())
    red, green, blue = _corner(content)
    assert blue > 250
    assert max(red, green) < 5


def test_a_damaged_profile_is_ignored():
    assert _corner(_saved(_flat("RGB", (255, 0, 0)), icc_profile=b"no profile at all")) == RED


def test_a_profile_of_other_colours_is_ignored():
    assert _corner(_saved(_flat("L", 50), icc_profile=_profile_bgr())) == [50]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_that_a_camera_noted_is_applied(orientation):
    upright = np.arange(9 * 13, dtype="uint8").reshape(9, 13)
    # how the sensor stored it: the inverse of what the viewer must do
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = _saved(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_array_equal(decode(content, ANY).pixels[..., 0], upright)


def test_an_orientation_that_cannot_be_read_is_ignored():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = _saved(_flat("RGB", (255, 0, 0)), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
        assert _corner(content) == RED


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [_flat("RGB", "red"), _flat("RGB", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = _saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    taken = decode(content, ANY)
    assert taken.is_animated
    assert taken.pixels[0, 0].tolist() == RED


def test_a_still_picture_is_not_animated():
    assert not decode(_saved(_flat("P", 0), "GIF"), ANY).is_animated


def test_grey_is_repeated_and_colour_becomes_luma():
    grey, green = _saved(_flat("L", 77)), _saved(_flat("RGB", (0, 255, 0)))
    assert _corner(grey, Wanted(channels=3)) == [77, 77, 77]
    assert _corner(green, Wanted(channels=1)) == [150]  # 0.587 * 255 = 149.7


def test_crop_cuts_the_middle_and_stretch_keeps_the_edges():
    bars = np.repeat(np.array([0, 100, 100, 255], "uint8"), 8)[None].repeat(16, axis=0)
    content = encoded(bars[..., None])
    cropped = decode(content, Wanted(size=(16, 16), fit="crop")).pixels[..., 0]
    np.testing.assert_array_equal(cropped, 100)
    stretched = decode(content, Wanted(size=(16, 16), fit="stretch")).pixels[8, :, 0]
    assert stretched[0] < 10
    assert stretched[-1] > 245


def test_a_crop_to_the_same_size_changes_nothing():
    array = pixels(3, 20, 30)
    np.testing.assert_array_equal(decode(encoded(array), Wanted(size=(20, 30))).pixels, array)


def test_lanczos_of_a_halved_step_is_worked_by_hand():
    # 24 -> 12 columns, step in the middle of the picture: the kernel of 3 lobes over 12 inputs
    step = np.zeros((24, 24, 1), "uint8")
    step[:, 12:] = 200
    row = decode(encoded(step), Wanted(size=(12, 12))).pixels[6, :, 0]
    offsets = (np.arange(12) - 5.5) / 2
    weights = np.sinc(offsets) * np.sinc(offsets / 3)
    share = weights[7:].sum() / weights.sum()  # output 5, centred on 11: inputs 12 to 16
    assert abs(int(row[5]) - round(200 * share)) <= 1


@given(
    height=st.integers(8, 60),
    width=st.integers(8, 60),
    size=st.tuples(st.integers(8, 40), st.integers(8, 40)),
    fit=st.sampled_from(["crop", "stretch"]),
)
@settings(max_examples=60, deadline=None)
def test_any_picture_reaches_any_size(height, width, size, fit):
    wanted = Wanted(fit=fit, size=size if max(size) <= 10 * min(size) else None, channels=3)
    flat = np.full((height, width, 3), 77, "uint8")
    decoded = refit(flat, wanted)
    assert decoded.shape == (*(wanted.size or (height, width)), 3)
    np.testing.assert_array_equal(decoded, 77)


LIMITS = {
    "one pixel": (_flat("RGB", 0, (1, 1)), "side of less than 8"),
    "a line": (_flat("L", 0, (10_000, 1)), "side of less than 8"),
    "a ribbon": (_flat("L", 0, (200, 10)), "more than 10 times"),
}


@pytest.mark.parametrize(("image", "expected"), LIMITS.values(), ids=LIMITS)
def test_a_shape_beyond_the_limits_is_refused(image, expected):
    assert expected in _reason(_saved(image))


def _png_head(width, height):
    def chunk(name, content):
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [50_000, 9_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_by_its_head(side, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    assert "more than 64,000,000 pixels" in _reason(_png_head(side, side))


FOREIGN = {
    "empty": (b"", "empty file"),
    "HTML": (b"<!DOCTYPE html><html>404</html>", "HTML page"),
    "HTML with a space": (b"\n <html>", "HTML page"),
    "SVG": (b'<?xml version="1.0"?><svg xmlns="x"/>', "SVG, which is not supported"),
    "PDF": (b"%PDF-1.7 ...", "a PDF"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, which is not supported"),
    "AVIF": (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF, which is not supported"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
    "zip": (b"PK\x03\x04rest", "zip archive"),
    "text": (b"just some text", "no picture that can be read"),
}


@pytest.mark.parametrize(("content", "expected"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_picture_is_named(content, expected):
    assert expected in _reason(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_truncated_file_is_refused(kind, share):
    noise = np.random.Generator(np.random.Philox(key=5)).integers(0, 256, (48, 48, 3), "uint8")
    content = encoded(noise, kind)
    assert _reason(content[: int(share * len(content))])


def test_floats_are_refused():
    image = Image.fromarray(np.ones((9, 9), "float32"))
    assert "32 bits" in _reason(_saved(image, "TIFF"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_damaged_bytes_give_pixels_or_a_reason(kind):
    rng = np.random.Generator(np.random.Philox(key=7))
    whole = encoded(pixels(4), kind)
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), 3):
            content[place] = rng.integers(256)
        with contextlib.suppress(UnreadablePictureError):  # any other error fails the test
            assert decode(bytes(content), ANY).pixels.dtype == np.uint8


@pytest.mark.parametrize("size", [(0, 5), (4, 4), (8, 100), (10_000, 10_000)])
def test_a_size_that_no_picture_can_have_is_refused(size):
    with pytest.raises(InputError, match="was asked for; sides are at least 8"):
        Wanted(size=size)


def test_pillow_decodes_truncated_files_nowhere():
    from PIL import ImageFile

    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    assert picture_module.MAX_PIXELS < Image.MAX_IMAGE_PIXELS
