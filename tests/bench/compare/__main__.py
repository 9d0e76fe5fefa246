"""Measures Millrace beside other systems; started by tests/bench/run.sh, whose README explains it."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys

from tests.bench.compare import plan, plot, report
from tests.bench.compare.measuring import Bench
from tests.bench.compare.systems import DEFAULT_SYSTEMS, SYSTEMS

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEFAULT_CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def words(text):
    return [word for word in text.split(",") if word]


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=(
        "Puts the same works through Millrace and other systems, each started afresh for each "
        "measurement, in turn. Writes table.md, samples.json and plot.svg."))
    parser.add_argument("--rounds", type=int, help="rounds over everything (default 5; quick: 1)")
    parser.add_argument("--quick", action="store_true",
                        help="short and small: shows that everything works")
    parser.add_argument("--only", type=words, default=[], metavar="WORK,...",
                        help='only these works, by name or beginning: "produce" is all that produce')
    parser.add_argument("--systems", type=words, default=list(DEFAULT_SYSTEMS), metavar="SYSTEM,...",
                        help="some of " + ", ".join(SYSTEMS))
    parser.add_argument("--classes", type=words, default=list(plan.ALL_CLASSES), metavar="CLASS,...",
                        help="some of d0, d1, d2")
    parser.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE / "millrace-bench",
                        help="where programs are kept and systems run (default %(default)s)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench",
                        help="where the results go (default build/bench)")
    parser.add_argument("--resume", action="store_true",
                        help="go on with the samples in --out: measure only what is missing in them")
    parser.add_argument("--no-build", action="store_true", help="use build/ as it is")
    parser.add_argument("--no-install", action="store_true", help="use the cache as it is")
    parser.add_argument("--render", type=pathlib.Path, metavar="SAMPLES",
                        help="measure nothing: write table and plot of this samples.json again")
    parser.add_argument("--list", action="store_true", help="print the works and exit")
    options = parser.parse_args(arguments)
    for name in options.systems:
        if name not in SYSTEMS:
            parser.error(f"there is no system {name!r}; there are: {', '.join(SYSTEMS)}")
    for name in options.classes:
        if name not in plan.CLASSES:
            parser.error(f"there is no class {name!r}")
    if options.resume and options.quick:
        parser.error("--resume and --quick do not go together")
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.scale = plan.QUICK if options.quick else plan.FULL
    try:
        options.works = plan.chosen_works(options.scale, options.only)
    except ValueError as wrong:
        parser.error(str(wrong))
    return options


def machine(cache):
    """What the figures depend on."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        cpu = next((line.split(":", 1)[1].strip() for line in lines
                    if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT,
                            capture_output=True, text=True).stdout.strip()
    kind = subprocess.run(["stat", "-f", "-c", "%T", cache], capture_output=True, text=True,
                          check=True).stdout.strip()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu, "cpus": os.cpu_count(), "kernel": platform.release(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "filesystem": kind, "commit": commit or "unknown"}


def write(run, out, scale):
    out.mkdir(parents=True, exist_ok=True)
    (out / "samples.json").write_text(json.dumps(run, indent=1) + "\n")
    (out / "table.md").write_text(report.markdown(run, scale))
    (out / "plot.svg").write_text(plot.svg(run, scale))


def turns(options, number):
    """What a round measures of each work: pairs of a class and a system, one right after another. Who
    begins changes with the round."""
    first = number % len(options.systems)
    names = options.systems[first:] + options.systems[:first]
    return {work: [(durability, name) for durability in work.classes for name in names
                   if durability in options.classes and durability in SYSTEMS[name].classes]
            for work in options.works}


def measure(options, run):
    """All rounds, without what has been measured before. Results are written as they come."""
    bench = Bench(options.cache, options.scale)
    systems = {name: SYSTEMS[name](options.cache, ROOT) for name in options.systems}
    run["versions"] |= {name: system.version() for name, system in systems.items()}
    run["samples"] = [sample for sample in run["samples"] if "error" not in sample]
    have = {(sample["round"], sample["work"], sample["class"], sample["system"])
            for sample in run["samples"]}
    for number in range(options.rounds):
        for work, pairs in turns(options, number).items():
            missing = [pair for pair in pairs if (number, work.name, *pair) not in have]
            if missing:
                run["limits"].append({"round": number, "work": work.name, "values": bench.limits()})
            for durability, name in missing:
                sample = {"round": number, **bench.sample(systems[name], work, durability)}
                run["samples"].append(sample)
                print(progress(sample), file=sys.stderr, flush=True)
                write(run, options.out, options.scale)


def begun(options):
    """The run to go on with."""
    kept = options.out / "samples.json"
    if options.resume and kept.exists():
        return json.loads(kept.read_text())
    return {"quick": options.quick, "machine": machine(options.cache), "versions": {}, "limits": [],
            "samples": []}


def progress(sample):
    said = sample.get("error") or " ".join(
        f"{name}={report.number(value)}" for name, value in sample["metrics"].items())
    return (f"round {sample['round'] + 1} {sample['work']} {sample['class']} {sample['system']}: "
            + ("FAILED: " if "error" in sample else "") + " ".join(said.split()))


def main(arguments):
    options = parsed(arguments)
    if options.list:
        for work in options.works:
            print(f"{work.name:16} {'/'.join(work.classes):9} {work.title}")
        return 0
    if options.render:
        run = json.loads(options.render.read_text())
        write(run, options.out, plan.QUICK if run["quick"] else plan.FULL)
        print((options.out / "table.md").read_text())
        return 0
    options.cache = options.cache.resolve()
    if not options.no_install:
        subprocess.run([ROOT / "tests/bench/peers/install.sh", options.cache, *options.systems],
                       check=True)
    run = begun(options)
    measure(options, run)
    print((options.out / "table.md").read_text())
    failed = sum("error" in sample for sample in run["samples"])
    print(f"{len(run['samples']) - failed} measured, {failed} failed. Samples and plot: {options.out}",
          file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # What runs is then stopped on the way out.
    sys.exit(main(sys.argv[1:]))
