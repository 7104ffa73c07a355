"""One picture: an encoded file in, uint8 pixels out, by stated rules and within limits.

Which format a file has is told by its content, never by its name. The rules:

- the orientation that a camera noted (EXIF) is applied; of an animation the first frame is taken;
- transparency is laid over white; a palette becomes the colours it stands for;
- of 16 bits the high 8 are kept; floats and 32-bit integers are refused;
- colours with a profile (ICC), also CMYK ones, are brought to sRGB; CMYK without one by 1 - ink;
- black-and-white and grey pictures have one channel, all others three; when asked for the other
  number, grey is repeated and colour becomes luma (ITU-R 601);
- a wanted size is reached by Lanczos, after cutting the middle ("crop") or not ("stretch").
"""

import functools
import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageCms, UnidentifiedImageError

from reinforge.errors import InputError

Fit = Literal["crop", "stretch"]
Channels = Literal["auto", 1, 3]
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 64_000_000  # 192 MB decoded; phones take pictures of 50 million
MIN_SIDE = 8
MAX_ASPECT = 10.0
MAX_BYTES = 512 * 2**20  # of one encoded file
# what Pillow's decoders raise on damaged files
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, EOFError),
    *(ArithmeticError, RuntimeError, struct.error, zlib.error, UnidentifiedImageError),
)
_HEADS = (
    (b"%PDF", "a PDF; save its pictures as PNG or JPEG"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"8BPS", "a Photoshop file; save it as PNG or JPEG"),
    (b"%!PS", "PostScript; save it as PNG or JPEG"),
    (b"\x00\x00\x00\x0cjP", "JPEG 2000; save it as PNG or JPEG"),
)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # the EXIF tag


class UnreadablePictureError(InputError):
    """One picture cannot be used; the text is the reason, without the file's name."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What decoded pictures shall look like."""

    size: tuple[int, int] | None = None  # height, width; None keeps a picture's own
    fit: Fit = "crop"  # how another aspect ratio is met
    channels: Channels = "auto"  # auto keeps a picture's own: 1 or 3

    def __post_init__(self) -> None:
        """Refuse sizes that no picture can have."""
        if self.size is not None and not _fits(*self.size):
            raise InputError(
                f"size={self.size} was asked for; sides are at least {MIN_SIDE} pixels, at most "
                f"{MAX_ASPECT:g} times each other, and together at most {MAX_PIXELS:,} pixels."
            )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One decoded picture."""

    pixels: UInt8[np.ndarray, "height width channel"]
    is_animated: bool = False  # more frames follow the one taken


def decode(content: bytes, wanted: Wanted) -> Picture:
    """Decode an encoded picture by the rules of this file.

    Args:
        content: The whole file.
        wanted: Size and channels.

    Raises:
        UnreadablePictureError: It is no picture, is damaged or is beyond the limits.
    """
    if not content:
        raise UnreadablePictureError("an empty file (0 bytes)")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _refuse_size(*image.size)
            is_animated = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
            image.load()
            return Picture(pixels=_pixels(image, wanted), is_animated=is_animated)
    except UnreadablePictureError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadablePictureError(f"more than {MAX_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise UnreadablePictureError(_what(content)) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UnreadablePictureError(f"damaged: {reason}") from error


def refit(
    pixels: UInt8[np.ndarray, "height width channel"], wanted: Wanted
) -> UInt8[np.ndarray, "fitted_height fitted_width fitted_channel"]:
    """Bring decoded pixels to the wanted size and channels, as `decode` does."""
    return _pixels(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels), wanted)


def _pixels(image: Image.Image, wanted: Wanted) -> np.ndarray:
    image = _in_srgb(_plain(_upright(image)))
    mode = {"auto": image.mode, 1: "L", 3: "RGB"}[wanted.channels]
    image = image if image.mode == mode else image.convert(mode)
    pixels = np.array(_sized(image, wanted))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _fits(height: int, width: int) -> bool:
    short, long = min(height, width), max(height, width)
    return short >= MIN_SIDE and long <= MAX_ASPECT * short and height * width <= MAX_PIXELS


def _refuse_size(width: int, height: int) -> None:
    if _fits(height, width):
        return
    if height * width > MAX_PIXELS:
        limit = f"more than {MAX_PIXELS:,} pixels"
    elif min(height, width) < MIN_SIDE:
        limit = f"a side of less than {MIN_SIDE} pixels"
    else:
        limit = f"one side more than {MAX_ASPECT:g} times the other"
    raise UnreadablePictureError(f"{width} x {height} pixels: {limit}")


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except _DAMAGE:  # notes that cannot be read say nothing; the pixels are whole
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _plain(image: Image.Image) -> Image.Image:
    """The picture as L, RGB or CMYK, opaque, 8 bits a channel."""
    profile = image.info.get("icc_profile")
    mode = image.mode
    if mode in ("I", "F") and not (mode == "I" and image.format in ("PNG", "PPM")):
        raise UnreadablePictureError("32 bits a pixel; save it with 8 or 16 bits a channel")
    if mode == "I" or mode.startswith("I;16"):
        high = np.clip(np.asarray(image).astype("int64"), 0, 65535) >> 8
        image = Image.fromarray(high.astype("uint8"))
    elif mode in ("LA", "La"):
        image = _over_white(image.convert("RGBA")).convert("L")
    elif mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        is_grey = mode in ("1", "L")
        image = _over_white(image.convert("RGBA")).convert("L" if is_grey else "RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode not in ("L", "RGB", "CMYK"):  # palette, YCbCr, LAB, HSV, RGBX
        image = image.convert("RGB")
    image.info["icc_profile"] = profile
    return image


def _over_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture as L or RGB in sRGB; a profile that is damaged or of other colours is ignored."""
    profile, mode = image.info.get("icc_profile"), image.mode
    if isinstance(profile, bytes) and profile:
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(given).lower():
                moved = ImageCms.profileToProfile(image, given, _srgb(), outputMode="RGB")
                image = cast(Image.Image, moved)
        except (ImageCms.PyCMSError, *_DAMAGE):
            pass
    return image.convert("L" if mode == "L" else "RGB")


@functools.lru_cache(maxsize=1)
def _srgb() -> Any:
    return ImageCms.createProfile("sRGB")


def _sized(image: Image.Image, wanted: Wanted) -> Image.Image:
    if wanted.size is None or wanted.size == (image.height, image.width):
        return image
    height, width = wanted.size
    box = (0.0, 0.0, float(image.width), float(image.height))
    if wanted.fit == "crop":
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
        # rounding must not carry the box over the edge
        right, bottom = min(left + scale * width, box[2]), min(top + scale * height, box[3])
        box = (max(left, 0.0), max(top, 0.0), right, bottom)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _what(content: bytes) -> str:
    """What a file is that is none of the picture formats, as far as its first bytes tell."""
    head = content[:2048].lstrip().lower()
    brand = content[8:12].decode("ascii", errors="replace")
    if content[4:8] == b"ftyp":
        kind = "HEIC" if brand in ("heic", "heix", "hevc", "mif1", "msf1") else brand.upper()
        return f"{kind}, which is not supported; save it as PNG or JPEG"
    if b"<svg" in head:
        return "SVG, which is not supported; save it as PNG"
    if head.startswith((b"<!doctype html", b"<html")):
        return "an HTML page, not a picture"
    for start, what in _HEADS:
        if content.startswith(start):
            return f"{what} (not supported)"
    known = "JPEG, PNG, BMP, GIF, WebP, TIFF or PNM"
    return f"no picture that can be read ({known} are), or its head is damaged"
