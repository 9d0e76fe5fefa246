"""The plot of a run: one panel for each figure, a bar for each system, whiskers for the range."""

from tests.bench.compare import plan
from tests.bench.compare.report import Samples, number
from tests.bench.compare.systems import SYSTEMS
from tests.bench.svg import GREY, INK, picture, text

COLOURS = {"millrace": "#1f6feb", "millrace-stubs": "#79b0ff", "kafka": "#6e7781",
           "nats": "#2da44e", "redis": "#cf222e"}
COLUMNS, WIDTH, GAP = 3, 400, 24
LABEL, BAR, VALUE = 110, 180, 110
ROW, HEAD = 20, 44


def panels(run, scale):
    """(title, subtitle, unit scale, {system: Spread}) for each figure that has something to show."""
    samples = Samples(run)
    for work in plan.works(scale):
        for durability in work.classes:
            for figure in work.figures:
                if not figure.in_plot:
                    continue
                spreads = {name: samples.spread(work.name, durability, name, figure.metric)
                           for name in samples.systems()}
                spreads = {name: spread for name, spread in spreads.items() if spread}
                if spreads:
                    better = "more" if figure.higher_is_better else "less"
                    yield (f"{work.title}, {durability.upper()}",
                           f"{figure.title}, {figure.unit}, {better} is better", figure.scale, spreads)


def panel_shapes(left, top, title, subtitle, scale, spreads):
    yield text(left, top + 14, title, 13, weight="bold")
    yield text(left, top + 30, subtitle, 11, colour=GREY)
    most = max(spread.high for spread in spreads.values()) or 1
    for index, (name, spread) in enumerate(spreads.items()):
        y = top + HEAD + index * ROW
        start = left + LABEL

        def across(value, start=start):
            return round(start + BAR * value / most, 1)

        yield text(start - 6, y + 12, SYSTEMS[name].title, 11, "end")
        yield (f'<rect x="{start}" y="{y + 2}" width="{round(across(spread.median) - start, 1)}" '
               f'height="{ROW - 6}" fill="{COLOURS[name]}"/>')
        if spread.count > 1:
            middle = y + ROW // 2 - 1
            yield (f'<path d="M{across(spread.low)} {middle}H{across(spread.high)}'
                   f'M{across(spread.low)} {middle - 3}v6M{across(spread.high)} {middle - 3}v6" '
                   f'stroke="{INK}" fill="none"/>')
        yield text(max(across(spread.high), across(spread.median)) + 6, y + 12,
                   number(spread.median * scale), 11)


def svg(run, scale):
    """The plot as SVG."""
    shapes, top = [], 40
    listed = list(panels(run, scale))
    for begin in range(0, len(listed), COLUMNS):
        line = listed[begin:begin + COLUMNS]
        for column, (title, subtitle, unit, spreads) in enumerate(line):
            shapes += panel_shapes(GAP + column * (WIDTH + GAP), top, title, subtitle, unit, spreads)
        top += HEAD + ROW * max(len(spreads) for *_, spreads in line) + GAP
    width = COLUMNS * (WIDTH + GAP) + GAP
    about = f"{run['machine']['date']}: medians, whiskers from the least to the most of the rounds"
    return picture(width, top, [text(GAP, 24, about, 12), *shapes])
