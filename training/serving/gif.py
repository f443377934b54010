"""The first frame of a GIF, cut out of the file: TensorFlow decodes all of them, however many and large, and what is
clear in them becomes black.

Mental model: ``frame, sides = first_frame(gif)``, before anything is decoded.
"""

from typing import Any

import tensorflow as tf

from relevance.photos.cost import MAX_PIECES

_EXTENSIONS = 100
"""Extensions before the first frame, at most; there is one where a colour is clear, and few write another."""
_LONGEST = 2048
"""More bytes than any part of a GIF that has no pieces."""


def first_frame(photo: Any) -> tuple[Any, Any]:
    """string `[]`, the bytes of a GIF, to those of a GIF of its first frame, the clear colour white, and the sides of
    that frame, int32 `[2]`. What is no GIF, or has endless pieces, becomes something that no decoder takes."""
    read = _Reader(photo)
    head = 13 + read.colours(10)
    at, clear = tf.while_loop(
        lambda at, _: read.number(at) == 0x21, read.extension, (head, -1), maximum_iterations=_EXTENSIONS
    )
    own = read.colours(at + 9)
    end = read.after_pieces(at + 11 + own, 5 * MAX_PIECES)
    frame = tf.strings.join([_part(photo, 0, head), _part(photo, at, end), b";"])
    has_own = own > 0
    white = tf.where(has_own, head + 10, 13) + 3 * clear
    is_known = tf.logical_and(clear >= 0, 3 * clear < tf.where(has_own, own, head - 13))
    sides = tf.stack([read.number(at + 5 + i) + 256 * read.number(at + 6 + i) for i in (0, 2)])
    return tf.where(is_known, _whitened(frame, white), frame), sides


class _Reader:
    """The numbers in a GIF, each at its place."""

    def __init__(self, photo: Any) -> None:
        # Zeros end whatever was cut short.
        self._octets = tf.concat([tf.io.decode_raw(photo, tf.uint8), tf.zeros(_LONGEST, tf.uint8)], axis=0)

    def number(self, at: Any) -> Any:
        return tf.cast(self._octets[at], tf.int32)

    def colours(self, at: Any) -> Any:
        """How many bytes of colours the flags tell of."""
        return tf.where(self.number(at) >= 128, 3 * 2 ** (self.number(at) % 8 + 1), 0)

    def after_pieces(self, at: Any, most: int) -> Any:
        """Where pieces end, each of which begins with its length."""
        (end,) = tf.while_loop(
            lambda at: self.number(at) > 0, lambda at: (at + 1 + self.number(at),), (at,), maximum_iterations=most
        )
        return end + 1

    def extension(self, at: Any, clear: Any) -> tuple[Any, Any]:
        """Where it ends, and the number of the clear colour, where it tells one."""
        tells = tf.logical_and(self.number(at + 1) == 0xF9, self.number(at + 3) % 2 == 1)
        return self.after_pieces(at + 2, MAX_PIECES), tf.where(tells, self.number(at + 6), clear)


def _whitened(photo: Any, at: Any) -> Any:
    return tf.strings.join([_part(photo, 0, at), b"\xff\xff\xff", _part(photo, at + 3, tf.strings.length(photo))])


def _part(photo: Any, begin: Any, end: Any) -> Any:
    return tf.strings.substr(photo, begin, end - begin)
