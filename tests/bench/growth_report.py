"""What tests/bench/growth.py shows: the costs, a table, and a plot with a panel for each cost."""

import dataclasses
import math

from tests.bench.compare.figures import Spread
from tests.bench.svg import GREY, INK, picture, text

COLUMNS, WIDTH, HEIGHT, GAP = 2, 420, 220, 24
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 46, 44  # Of the lines, within a panel.
BLUE = "#1f6feb"


@dataclasses.dataclass
class Series:
    """One cost at every size: {size: [microseconds of each round]}."""

    axis: str
    title: str
    unit: str
    costs: dict

    def add(self, size, microseconds):
        self.costs.setdefault(size, []).append(microseconds)

    def spreads(self):
        """(size, Spread of its costs), from the smallest size to the largest."""
        return [(size, Spread.of(costs)) for size, costs in sorted(self.costs.items())]

    def growth(self):
        """The median at the largest size over that at the smallest."""
        smallest, largest = self.ends()
        return largest.median / smallest.median

    def grows(self, allowed):
        smallest, largest = self.ends()
        return self.growth() > allowed and not largest.overlaps(smallest)

    def ends(self):
        spreads = self.spreads()
        return spreads[0][1], spreads[-1][1]


def row(series):
    """A row of the table."""
    cells = [f"{size:,}: {spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"
             for size, spread in series.spreads()]
    return "| " + " | ".join([series.axis, series.title, *cells, f"{series.growth():.2f}x"]) + " |"


def panel(left, top, series):
    """A line through the medians, whiskers for the range of the rounds. Sizes are on a logarithmic scale,
    costs begin at 0."""
    spreads = series.spreads()
    most = max(spread.high for _, spread in spreads)
    first, last = spreads[0][0], spreads[-1][0]
    decades = math.log10(last / first) or 1

    def across(size):
        return left + LEFT + (WIDTH - LEFT - RIGHT) * math.log10(size / first) / decades

    def up(cost):
        return top + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * cost / most

    yield text(left, top + 14, series.title, 13, weight="bold")
    yield text(left, top + 30, f"microseconds of the hub, by {series.unit}", colour=GREY)
    for share in (0, 0.5, 1):
        cost = most * share
        yield f'<path d="M{left + LEFT} {up(cost):.1f}H{left + WIDTH - RIGHT}" stroke="#d0d7de"/>'
        yield text(left + LEFT - 6, up(cost) + 4, f"{cost:.2f}", anchor="end", colour=GREY)
    line = "L".join(f"{across(size):.1f} {up(spread.median):.1f}" for size, spread in spreads)
    yield f'<path d="M{line}" stroke="{BLUE}" stroke-width="2" fill="none"/>'
    for size, spread in spreads:
        x = across(size)
        yield f'<path d="M{x:.1f} {up(spread.low):.1f}V{up(spread.high):.1f}" stroke="{INK}"/>'
        yield f'<circle cx="{x:.1f}" cy="{up(spread.median):.1f}" r="3" fill="{BLUE}"/>'
        yield text(x, top + HEIGHT - BOTTOM + 16, f"{size:,}", anchor="middle", colour=GREY)


def svg(measured):
    """The plot of all series, as SVG."""
    shapes = []
    for index, series in enumerate(measured):
        row, column = divmod(index, COLUMNS)
        shapes += panel(GAP + column * (WIDTH + GAP), GAP + row * (HEIGHT + GAP), series)
    width = GAP + COLUMNS * (WIDTH + GAP)
    height = GAP + math.ceil(len(measured) / COLUMNS) * (HEIGHT + GAP)
    return picture(width, height, shapes)
