"""The Markdown report of a run: the table, the limits, what failed."""

import collections

from tests.bench.compare import figures, plan
from tests.bench.compare.systems import SYSTEMS

OURS = "millrace"


def number(value):
    """Three significant digits, and no fewer than the integer part."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    shown = f"{value:.3g}"
    return f"{value:.0f}" if "e" in shown else shown


def cell(spread, scale, failed=0):
    """Median (low-high); what failed is said."""
    text = ""
    if spread:
        text = number(spread.median * scale)
        if spread.count > 1:
            text += f" ({number(spread.low * scale)}-{number(spread.high * scale)})"
    if failed:
        text = f"{text} failed {failed} of {failed + (spread.count if spread else 0)}".strip()
    return text or "-"


class Samples:
    """The samples of a run, by what was measured."""

    def __init__(self, run):
        self.run = run
        self.of = collections.defaultdict(list)
        for sample in run["samples"]:
            self.of[sample["work"], sample["class"], sample["system"]].append(sample)

    def spread(self, work, durability, system, metric):
        """The Spread of a metric; None where there is none."""
        values = [sample["metrics"][metric] for sample in self.of[work, durability, system]
                  if metric in sample.get("metrics", {})]
        return figures.Spread.of(values) if values else None

    def failed(self, work, durability, system):
        return sum("error" in sample for sample in self.of[work, durability, system])

    def systems(self):
        return [name for name in SYSTEMS if name in {key[2] for key in list(self.of)}]

    def has(self, work, durability):
        return any(key[:2] == (work, durability) and samples for key, samples in self.of.items())


def comparison(samples, work, durability, figure):
    """How Millrace stands to the best peer of the same class, in words; "-" where one is missing."""
    peers = {}
    for name in samples.systems():
        spread = samples.spread(work.name, durability, name, figure.metric)
        if spread and SYSTEMS[name].is_peer:
            peers[name] = spread
    ours = samples.spread(work.name, durability, OURS, figure.metric)
    best = figures.best_of(peers, figure.higher_is_better)
    if not ours or not best or not peers[best].median:
        return "-"
    ratio = ours.median / peers[best].median
    word = figures.verdict(ours, peers[best], figure.higher_is_better)
    return f"{number(ratio)}x {SYSTEMS[best].title}, {word}"


def main_table(samples, works):
    names = samples.systems()
    lines = ["| work | class | figure | " + " | ".join(SYSTEMS[name].title for name in names)
             + " | Millrace to the best peer |", "|---" * (len(names) + 4) + "|"]
    for work in works:
        for durability in work.classes:
            if not samples.has(work.name, durability):
                continue
            for figure in work.figures:
                direction = "" if figure.higher_is_better else ", less is better"
                row = [work.title, durability.upper(), f"{figure.title}, {figure.unit}{direction}"]
                for name in names:
                    row.append(cell(
                        samples.spread(work.name, durability, name, figure.metric), figure.scale,
                        samples.failed(work.name, durability, name)))
                row.append(comparison(samples, work, durability, figure))
                lines.append("| " + " | ".join(row) + " |")
    return lines


def beside_table(samples, works):
    """Millrace's shared fsync beside an fsync each: ratios of medians, and no order."""
    lines = []
    for work in works:
        for figure in work.figures:
            ours = samples.spread(work.name, "d1", OURS, figure.metric)
            for name in samples.systems():
                theirs = samples.spread(work.name, "d2", name, figure.metric)
                if ours and theirs and theirs.median and SYSTEMS[name].is_peer:
                    ranges = "overlap" if ours.overlaps(theirs) else "apart"
                    if min(ours.count, theirs.count) < 2:
                        ranges = "one round"
                    lines.append(
                        f"| {work.title} | {figure.title}, {figure.unit} "
                        f"| {cell(ours, figure.scale)} "
                        f"| {SYSTEMS[name].title}: {cell(theirs, figure.scale)} "
                        f"| {number(ours.median / theirs.median)}x, {ranges} |")
    if not lines:
        return []
    return ["", "Beside each other, not ranked: another promise on each side.", "",
            "| work | figure | Millrace, D1 | D2 | ratio of medians, ranges |", "|---|---|---|---|---|",
            *lines]


LIMITS = {
    "append_fdatasync_4k": "append + fdatasync, 4 KiB",
    "append_fdatasync_64k": "append + fdatasync, 64 KiB",
    "append_fdatasync_1024k": "append + fdatasync, 1 MiB",
    "loopback_tcp": "loopback TCP, one connection",
    "loopback_round_trip_64b": "loopback round trip, 64 B",
    "memcpy_64m": "memcpy, 64 MiB",
}


def limits_table(run):
    """What the machine gave, measured before each work of each round."""
    collected = collections.defaultdict(list)
    for entry in run["limits"]:
        for name, values in entry["values"].items():
            for unit, value in values.items():
                collected[name, unit].append(value)
    if not collected:
        return []
    lines = ["", "Limits of the machine, measured before each work of each round:", "",
             "| limit | rate | p50 us | p99 us |", "|---|---|---|---|"]
    for name, title in LIMITS.items():
        def shown(unit, name=name):
            values = collected.get((name, unit))
            return cell(figures.Spread.of(values), 1) if values else "-"
        rate = shown("mb_per_second") + " MB/s"
        if (name, "per_second") in collected:
            rate = shown("per_second") + " a second"
        lines.append(f"| {title} | {rate} | {shown('p50_us')} | {shown('p99_us')} |")
    return lines


def disk_lines(samples, works):
    """Millrace's synced payload as a share of the disk, and what it writes for each payload byte."""
    limit_of = {(entry["round"], entry["work"]): entry["values"] for entry in samples.run["limits"]}
    lines = []
    for work in works:
        shares, amplified = [], []
        for sample in samples.of[work.name, "d1", OURS] if work.bytes_per_record else []:
            metrics = sample.get("metrics")
            limit = limit_of.get((sample["round"], work.name))
            if not metrics or not limit:
                continue
            rate = metrics["records_per_second"] * work.bytes_per_record / 1e6
            shares.append(100 * rate / limit["append_fdatasync_1024k"]["mb_per_second"])
            stored = metrics.get("acknowledged_records", 0) * work.bytes_per_record
            if stored and sample.get("device"):
                amplified.append(sample["device"]["written_bytes"] / stored)
        if shares:
            written = ("" if not amplified else "; the device wrote "
                       f"{cell(figures.Spread.of(amplified), 1)} bytes for each byte of payload")
            lines.append(f"- Millrace, {work.title}, D1: {cell(figures.Spread.of(shares), 1)} % of "
                         f"append + fdatasync of 1 MiB in the same minute{written}.")
    return ["", *lines] if lines else []


def flush_lines(samples):
    """How often the device was flushed for each record of one client: whether a class really syncs."""
    lines = []
    for durability in plan.ALL_CLASSES:
        told = []
        for name in samples.systems():
            flushes = [sample["device"]["flushes"] / sample["metrics"]["acknowledged_records"]
                       for sample in samples.of["single-1c", durability, name]
                       if sample.get("device") and sample.get("metrics")]
            if flushes:
                told.append(f"{SYSTEMS[name].title} {cell(figures.Spread.of(flushes), 1)}")
        if told:
            lines.append(f"- Flushes of the device for each record, one client at a time, "
                         f"{durability.upper()}: {', '.join(told)}.")
    return ["", *lines] if lines else []


def failures(run):
    lines = []
    for sample in run["samples"]:
        if "error" in sample:
            said = " ".join(sample["error"].split())[-400:]
            lines.append(f"- {sample['work']}, {sample['class'].upper()}, {sample['system']}, round "
                         f"{sample['round'] + 1}: {said}")
    return ["", "Failed:", "", *lines] if lines else []


def markdown(run, scale):
    """The whole report of a run."""
    machine = run["machine"]
    works = plan.works(scale)
    samples = Samples(run)
    rounds = 1 + max((sample["round"] for sample in run["samples"]), default=-1)
    lines = [
        f"{machine['date']}, {machine['cpus']} CPUs ({machine['cpu']}), {machine['memory_gib']} GiB, "
        f"{machine['filesystem']}, Linux {machine['kernel']}; Millrace {machine['commit']}. "
        f"{rounds} round{'' if rounds == 1 else 's'}, load average "
        f"{cell(spread_of_load(run), 1)}. Clients and systems share the machine.", ""]
    if run["quick"]:
        lines += ["A quick run: it shows that everything works, and no figure to quote.", ""]
    for durability, meaning in plan.CLASSES.items():
        settings = "; ".join(f"{SYSTEMS[name].title}: {SYSTEMS[name].classes[durability]}"
                             for name in samples.systems() if durability in SYSTEMS[name].classes)
        if settings:
            lines.append(f"- {durability.upper()}: {meaning} ({settings}).")
    lines += ["", "Median (range) of the rounds. Compare within a row only. Where ranges overlap, "
              "there is no order.", ""]
    lines += main_table(samples, works) + beside_table(samples, works) + limits_table(run)
    lines += disk_lines(samples, works) + flush_lines(samples) + failures(run)
    versions = ", ".join(f"{SYSTEMS[name].title} {version}"
                         for name, version in run["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])


def spread_of_load(run):
    loads = [sample["load_average"] for sample in run["samples"]]
    return figures.Spread.of(loads) if loads else None
