"""Photos decoded by TensorFlow, inside the graph: as close to `relevance.images.load_photo` as its operations come.

Mental model: ``decode(jpeg, (128, 96))`` is what `load_photo` gives but for rounding. Not read: AVIF, animated
WebP, BMP with a palette, and an EXIF orientation that does not lie where cameras write it.
"""

from typing import Any

import tensorflow as tf

from relevance.images import Size
from relevance.photos.cost import MAX_PIXELS, MAX_SCANS
from training.serving.gif import first_frame

MAX_UNSCALED_PIXELS = 16_000_000
"""Largest PNG, WebP, GIF or BMP, in pixels: ten bytes each until they are small."""
MAX_HELD_PIXELS = 30_000_000
"""Most pixels of a JPEG that are held: of one that comes in several passes all of them, else what is left after it was
shrunk while it was decoded."""
_BAND = 1_000_000
"""Pixels that are laid on white at a time, in single precision."""

_HEAD = 65_536 + 32
# EXIF is a TIFF file inside the photo: byte order, offset of the first directory (8, where cameras put it), number of
# entries, entries of 12 bytes; the orientation is tag 0x0112, one short. \C is any byte.
_EXIF = (
    r"(?s)^\C*?(?:Exif\x00\x00|eXIf|EXIF\C{4})"
    r"(?:MM\x00\*\x00\x00\x00\x08\C\C(?:\C{12})*?\x01\x12\x00\x03\x00\x00\x00\x01\x00([\x01-\x08])"
    r"|II\*\x00\x08\x00\x00\x00\C\C(?:\C{12})*?\x12\x01\x03\x00\x01\x00\x00\x00([\x01-\x08])\x00)\C*$"
)


def decode_batch(photos: Any, size: Size) -> tuple[Any, Any]:
    """string `[n]`, the bytes of files, to uint8 `[n, height, width, 3]` and bool `[n]`: whether the file is a photo.

    What cannot be decoded is black and costs the others nothing.
    """
    n = tf.shape(photos)[0]
    files = tf.data.Dataset.from_tensor_slices((tf.range(n), photos))
    decoded = files.map(lambda row, photo: (row, decode(photo, size)), num_parallel_calls=tf.data.AUTOTUNE)
    # One more than n, so that a batch of bad photos is not without elements.
    blank = tf.data.Dataset.from_tensors((n, tf.zeros((*size, 3), tf.uint8)))
    whole = decoded.ignore_errors().concatenate(blank).batch(tf.cast(n, tf.int64) + 1)
    rows, pixels = whole.get_single_element()
    at = tf.expand_dims(rows, 1)
    usable = tf.scatter_nd(at, tf.ones_like(rows), [n + 1])[:n] > 0
    return tf.scatter_nd(at, pixels, [n + 1, *size, 3])[:n], usable


def decode(photo: Any, size: Size) -> Any:
    """string `[]`, the bytes of a file, to upright RGB uint8 `[height, width, 3]`, the largest centred part of that
    shape, on white."""
    orientation = orientation_of(photo)
    wanted = tf.where(orientation >= 5, tf.constant(size[::-1]), tf.constant(size))
    pixels = tf.cond(_starts(photo, b"\xff\xd8\xff"), lambda: _jpeg(photo, wanted), lambda: _on_white(_other(photo)))
    return _upright(_fitted(pixels, wanted), orientation, size)


def orientation_of(photo: Any) -> Any:
    """The EXIF orientation, int32 `[]`, 1 to 8; 1 where there is none. WebP keeps it at the end of the file."""
    end = tf.maximum(0, tf.strings.length(photo) - _HEAD)
    head = tf.strings.substr(photo, tf.where(_starts(photo, b"RIFF"), end, 0), _HEAD)
    found = tf.strings.regex_replace(head, _EXIF, r"\1\2")
    has_one = tf.strings.regex_full_match(found, r"[\x01-\x08]")
    return tf.cond(has_one, lambda: tf.cast(tf.io.decode_raw(found, tf.uint8)[0], tf.int32), lambda: tf.constant(1))


def _jpeg(photo: Any, wanted: Any) -> Any:
    """uint8 `[h, w, 3]`, shrunk by 1, 2, 4 or 8 while it is decoded, to not less than twice what is wanted."""
    shape = tf.io.extract_jpeg_shape(photo)[:2]
    pixels = tf.reduce_prod(tf.cast(shape, tf.int64))
    halvings = tf.reduce_sum(tf.cast(tf.reduce_min(shape // (2 * wanted)) >= [2, 4, 8], tf.int32))
    scans, progressive = _passes(photo)
    one_pass = tf.logical_and(scans <= 2, tf.logical_not(progressive))  # one more is that of a preview
    held = tf.where(one_pass, pixels // tf.cast(4**halvings, tf.int64), pixels)
    fits = tf.reduce_all([pixels <= MAX_PIXELS, held <= MAX_HELD_PIXELS, scans <= MAX_SCANS])
    allowed = _only_if(fits, photo)

    def shrunk(ratio: int) -> Any:
        return lambda: tf.io.decode_jpeg(allowed, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    return tf.switch_case(halvings, [shrunk(ratio) for ratio in (1, 2, 4, 8)])


def _passes(photo: Any) -> tuple[Any, Any]:
    """How many scans a JPEG has, that of a preview among them, and whether it has the header of a progressive one. In
    the coded pixels no such marker can occur."""
    octets = tf.io.decode_raw(photo, tf.uint8)
    markers = tf.boolean_mask(octets[1:-1], octets[:-2] == 0xFF)
    lengths = tf.boolean_mask(octets[2:], octets[:-2] == 0xFF)
    progressive = tf.reduce_any(tf.logical_and(markers == 0xC2, lengths == 0))
    return tf.math.count_nonzero(markers == 0xDA), progressive


def _other(photo: Any) -> Any:
    """uint8 `[h, w, 3 or 4]` of a PNG, GIF, BMP or WebP."""
    kinds = [
        (_starts(photo, b"\x89PNG"), lambda: _png(photo)),
        (_starts(photo, b"GIF8"), lambda: _gif(photo)),
        (_starts(photo, b"BM"), lambda: _bmp(photo)),
        (tf.strings.regex_full_match(tf.strings.substr(photo, 0, 12), r"RIFF\C{4}WEBP"), lambda: _webp(photo)),
    ]
    return tf.case(kinds, default=lambda: tf.io.decode_jpeg(photo))  # which refuses what is none


def _png(photo: Any) -> Any:
    """Where TensorFlow adds the alpha to less than 8 bits a pixel, it is all but clear: there it is not asked for."""
    sides = tf.io.decode_raw(tf.strings.substr(photo, 16, 8), tf.int32, little_endian=False)
    allowed = _only_if(_is_small(sides), photo)
    depth = tf.io.decode_raw(tf.strings.substr(photo, 24, 1), tf.uint8)[0]
    has_alpha = tf.strings.regex_full_match(tf.strings.substr(photo, 0, _HEAD), r"\C*tRNS\C*")
    return tf.cond(
        tf.logical_or(depth >= 8, has_alpha),
        lambda: tf.io.decode_png(allowed, channels=4),
        lambda: tf.io.decode_png(allowed, channels=3),
    )


def _gif(photo: Any) -> Any:
    frame, sides = first_frame(photo)
    screen = tf.io.decode_raw(tf.strings.substr(photo, 6, 4), tf.uint16)
    fits = tf.logical_and(_is_small(sides), _is_small(screen))
    return tf.io.decode_image(_only_if(fits, frame), expand_animations=False)


def _bmp(photo: Any) -> Any:
    """Of 24 and 32 bits: TensorFlow takes the numbers of a palette for grey. The fourth byte is no alpha to rely on."""
    sides = tf.io.decode_raw(tf.strings.substr(photo, 18, 8), tf.int32)
    has_colours = tf.strings.regex_full_match(tf.strings.substr(photo, 28, 2), r"[\x18\x20]\x00")
    return tf.io.decode_bmp(_only_if(tf.logical_and(_is_small(sides), has_colours), photo), channels=3)


def _webp(photo: Any) -> Any:
    """No animation: TensorFlow 2.20 writes one without alpha beyond the end of its memory."""
    kind = tf.strings.substr(photo, 12, 4)
    flags = tf.io.decode_raw(tf.strings.substr(photo, 20, 1), tf.uint8)[0]
    is_animated = tf.logical_and(kind == b"VP8X", tf.bitwise.bitwise_and(flags, 2) > 0)
    is_small = _is_small(_webp_sides(photo, kind))
    allowed = _only_if(tf.logical_and(is_small, tf.logical_not(is_animated)), photo)
    return tf.io.decode_image(allowed, expand_animations=False)


def _webp_sides(photo: Any, kind: Any) -> Any:
    """Width and height, int64 `[2]`, from where each kind of WebP has them (RFC 9649)."""
    octets = tf.cast(tf.io.decode_raw(tf.strings.substr(photo, 20, 10), tf.uint8), tf.int64)
    canvas = tf.stack(
        [octets[4] + 256 * (octets[5] + 256 * octets[6]), octets[7] + 256 * (octets[8] + 256 * octets[9])]
    )
    bits = octets[1] + 256 * (octets[2] + 256 * (octets[3] + 256 * octets[4]))
    lossless = tf.stack([bits % 2**14, bits // 2**14 % 2**14])
    lossy = tf.stack([octets[6] + 256 * (octets[7] % 64), octets[8] + 256 * (octets[9] % 64)])
    return tf.case([(kind == b"VP8X", lambda: canvas + 1), (kind == b"VP8L", lambda: lossless + 1)], lambda: lossy)


def _only_if(holds: Any, photo: Any) -> Any:
    """The photo or nothing, which every decoder refuses. An assertion would run beside the decoder, not before it."""
    return tf.where(holds, photo, b"")


def _is_small(sides: Any) -> Any:
    return tf.abs(tf.reduce_prod(tf.cast(sides, tf.int64))) <= MAX_UNSCALED_PIXELS


def _starts(photo: Any, signature: bytes) -> Any:
    return tf.strings.substr(photo, 0, len(signature)) == signature


def _on_white(pixels: Any) -> Any:
    """uint8 `[h, w, 3 or 4]` to `[h, w, 3]`."""
    return tf.cond(tf.shape(pixels)[2] == 4, lambda: _blended_in_bands(pixels), lambda: pixels)


def _blended_in_bands(pixels: Any) -> Any:
    """:func:`_blended`, a few rows at a time: in single precision all would take gigabytes."""
    height, width = tf.shape(pixels)[0], tf.shape(pixels)[1]
    rows = tf.maximum(1, _BAND // tf.maximum(1, width))
    count = -(-height // rows)
    bands = tf.TensorArray(tf.uint8, count, infer_shape=False, element_shape=[None, None, 3])

    def one_more(at: Any, so_far: Any) -> Any:
        return at + 1, so_far.write(at, _blended(pixels[at * rows : (at + 1) * rows]))

    return tf.while_loop(lambda at, _: at < count, one_more, (0, bands), parallel_iterations=1)[1].concat()


def _blended(pixels: Any) -> Any:
    """uint8 `[h, w, 4]` on white, uint8 `[h, w, 3]`."""
    values = tf.cast(pixels, tf.float32)
    alpha = values[..., 3:] / 255
    return tf.cast(tf.round(values[..., :3] * alpha + 255 * (1 - alpha)), tf.uint8)


def _fitted(pixels: Any, wanted: Any) -> Any:
    """uint8 `[h, w, 3]` to float32 `[*wanted, 3]`: its largest centred part of that shape, averaged as Pillow does."""
    sides = tf.cast(tf.shape(pixels)[:2], tf.float32)
    scale = tf.reduce_max(tf.cast(wanted, tf.float32) / sides)
    outside = (sides * scale - tf.cast(wanted, tf.float32)) / 2
    small = tf.raw_ops.ScaleAndTranslate(
        images=pixels[None],
        size=wanted,
        scale=tf.stack([scale, scale]),
        translation=-outside,
        kernel_type="triangle",
        antialias=True,
    )
    return small[0]


def _upright(pixels: Any, orientation: Any, size: Size) -> Any:
    """float32, as stored, to uint8 `[*size, 3]`, as looked at."""
    pixels = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
    pixels = tf.cond(mirrored, lambda: pixels[:, ::-1], lambda: pixels)
    headlong = tf.reduce_any(orientation == [3, 4, 7, 8])
    pixels = tf.cond(headlong, lambda: pixels[::-1], lambda: pixels)
    return tf.ensure_shape(tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8), (*size, 3))
