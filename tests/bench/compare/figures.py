"""What is made of samples: percentiles, medians with ranges, and who is ahead."""

import dataclasses
import math
import statistics


def percentile(sorted_values, share):
    """The nearest-rank percentile: the smallest value that at least `share` of the values reach."""
    if not sorted_values:
        raise ValueError("a percentile of nothing")
    rank = math.ceil(share * len(sorted_values))
    return sorted_values[max(rank, 1) - 1]


def latency_figures(name, nanoseconds):
    """The figures of one run's latencies in ms, named after what they are the latencies of."""
    ordered = sorted(nanoseconds)
    figures = {f"{name}_{word}_ms": percentile(ordered, share) / 1e6
               for word, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}
    figures[f"{name}_max_ms"] = ordered[-1] / 1e6
    figures[f"{name}_count"] = len(ordered)
    return figures


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median and range of one figure over the rounds."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values), len(values))

    def overlaps(self, other):
        return self.low <= other.high and other.low <= self.high


def best_of(spreads, higher_is_better):
    """The name with the best median among {name: Spread}; None where there is none."""
    if not spreads:
        return None
    choose = max if higher_is_better else min
    return choose(spreads, key=lambda name: spreads[name].median)


def verdict(ours, theirs, higher_is_better):
    """Who is ahead: "ahead", "behind", or "no order" where the ranges touch or one is a point."""
    if ours.count < 2 or theirs.count < 2:
        return "one round"
    if ours.overlaps(theirs):
        return "no order"
    return "ahead" if (ours.median > theirs.median) == higher_is_better else "behind"
