"""What tests/bench/growth.py shows: the costs, a table, and a plot with a panel for each cost."""

import dataclasses
import math
import statistics
from xml.sax.saxutils import escape

COLUMNS, WIDTH, HEIGHT, GAP = 2, 420, 220, 24
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 46, 44  # Of the lines, within a panel.
INK, GREY, BLUE = "#1f2328", "#656d76", "#1f6feb"


@dataclasses.dataclass
class Series:
    """One cost at every size: {size: [microseconds of each round]}."""

    axis: str
    title: str
    unit: str
    costs: dict

    def add(self, size, microseconds):
        self.costs.setdefault(size, []).append(microseconds)

    def growth(self):
        """The median at the largest size over that at the smallest."""
        smallest, largest = self.costs[min(self.costs)], self.costs[max(self.costs)]
        return statistics.median(largest) / statistics.median(smallest)

    def grows(self, allowed):
        smallest, largest = self.costs[min(self.costs)], self.costs[max(self.costs)]
        return self.growth() > allowed and min(largest) > max(smallest)


def table(measured):
    for series in measured:
        yield f"| {series.axis} | {series.title} | " + " | ".join(
            f"{size:,}: {statistics.median(costs):.2f} ({min(costs):.2f}-{max(costs):.2f})"
            for size, costs in sorted(series.costs.items())) + f" | {series.growth():.2f}x |"


def text(x, y, words, size=11, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{colour}">{escape(words)}</text>')


def panel(left, top, series):
    """A line through the medians, whiskers for the range of the rounds. Sizes are on a logarithmic scale,
    costs begin at 0."""
    sizes = sorted(series.costs)
    most = max(max(costs) for costs in series.costs.values())
    decades = math.log10(sizes[-1] / sizes[0]) or 1

    def across(size):
        return left + LEFT + (WIDTH - LEFT - RIGHT) * math.log10(size / sizes[0]) / decades

    def up(cost):
        return top + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * cost / most

    yield text(left, top + 14, series.title, 13, weight="bold")
    yield text(left, top + 30, f"microseconds of the hub, by {series.unit}", colour=GREY)
    for share in (0, 0.5, 1):
        cost = most * share
        yield f'<path d="M{left + LEFT} {up(cost):.1f}H{left + WIDTH - RIGHT}" stroke="#d0d7de"/>'
        yield text(left + LEFT - 6, up(cost) + 4, f"{cost:.2f}", anchor="end", colour=GREY)
    points = [(across(size), statistics.median(series.costs[size])) for size in sizes]
    yield ('<path d="M' + "L".join(f"{x:.1f} {up(cost):.1f}" for x, cost in points)
           + f'" stroke="{BLUE}" stroke-width="2" fill="none"/>')
    for size, (x, cost) in zip(sizes, points):
        low, high = min(series.costs[size]), max(series.costs[size])
        yield f'<path d="M{x:.1f} {up(low):.1f}V{up(high):.1f}" stroke="{INK}"/>'
        yield f'<circle cx="{x:.1f}" cy="{up(cost):.1f}" r="3" fill="{BLUE}"/>'
        yield text(x, top + HEIGHT - BOTTOM + 16, f"{size:,}", anchor="middle", colour=GREY)


def svg(measured):
    """The plot of all series, as SVG."""
    shapes = []
    for index, series in enumerate(measured):
        row, column = divmod(index, COLUMNS)
        shapes += panel(GAP + column * (WIDTH + GAP), GAP + row * (HEIGHT + GAP), series)
    width = GAP + COLUMNS * (WIDTH + GAP)
    height = GAP + math.ceil(len(measured) / COLUMNS) * (HEIGHT + GAP)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>', *shapes, "</svg>", ""])
