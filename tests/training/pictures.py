"""Photos of every kind that the graph decodes, encoded."""

import numpy as np
from PIL import Image

from tests.photos import encoded, turned

SIZE = (48, 32)


def picture(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Soft shapes with a little noise, as photos have them."""
    draw = np.random.default_rng(seed)
    soft = Image.fromarray(draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    noisy = np.asarray(soft).astype(int) + draw.integers(-12, 13, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


PALETTE = picture(9).convert("P", palette=Image.Palette.ADAPTIVE)


EXACT = {
    "jpeg": encoded(picture(1, 320, 240), "JPEG", quality=85),
    "tall jpeg": encoded(picture(1, 240, 320), "JPEG", quality=85),
    "flat jpeg": encoded(picture(1, 900, 200), "JPEG", quality=85),
    "large jpeg": encoded(picture(2, 1999, 1501), "JPEG"),
    "small jpeg": encoded(picture(3, 20, 15), "JPEG"),
    "one pixel": encoded(Image.new("RGB", (1, 1), (9, 99, 199)), "JPEG"),
    "grey jpeg": encoded(picture(4).convert("L"), "JPEG"),
    "cmyk": encoded(picture(5).convert("CMYK"), "JPEG"),
    "progressive": encoded(picture(6), "JPEG", progressive=True),
    **{f"turned {i}": turned(picture(i, 300, 200), i, quality=90) for i in range(1, 9)},
    "turned png": turned(picture(7), 6, "PNG"),
    "turned webp": turned(picture(7), 8, "WEBP"),
    "png": encoded(picture(8)),
    "16 bits": encoded(Image.fromarray(np.asarray(picture(8).convert("L")).astype(np.uint16) * 257)),
    "palette": encoded(PALETTE),
    "webp": encoded(picture(9), "WEBP"),
    "gif": encoded(picture(9), "GIF"),
    "animated gif": encoded(picture(9), "GIF", save_all=True, append_images=[picture(10)]),
    "animated png": encoded(picture(9), save_all=True, append_images=[picture(10)]),
    "bmp": encoded(picture(9), "BMP"),
}  # fmt: skip
