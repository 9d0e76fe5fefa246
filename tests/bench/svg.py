"""What plots are made of, as SVG: a piece of text, and the picture around all shapes."""

from xml.sax.saxutils import escape

INK, GREY = "#1f2328", "#656d76"


def text(x, y, words, size=11, anchor="start", weight="normal", colour=INK):
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{colour}">{escape(words)}</text>')


def picture(width, height, shapes):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>', *shapes, "</svg>", ""])
