"""What is measured: the works, and the figures that each gives."""

import dataclasses

CLASSES = {
    "d0": "acknowledged from memory or page cache",
    "d1": "acknowledged after an fsync that many may share",
    "d2": "acknowledged after an fsync for each batch or message",
}
ALL_CLASSES = ("d0", "d1", "d2")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One row of the table."""

    metric: str
    title: str
    unit: str
    higher_is_better: bool = True
    scale: float = 1.0
    in_plot: bool = True


@dataclasses.dataclass(frozen=True)
class Work:
    """One thing that every system does; `flags` are for the load program."""

    name: str
    title: str
    flags: tuple
    figures: tuple
    classes: tuple = ALL_CLASSES
    bytes_per_record: int = 0  # Where payload is to be compared with the disk.


@dataclasses.dataclass(frozen=True)
class Scale:
    """How long and how large: a real run, or a quick one that only shows that everything works."""

    warm_seconds: float
    measured_seconds: float
    jvm_seconds: float
    backlog_mib: int
    limit_seconds: float
    idle_seconds: float

    def times(self):
        return ("-warm", f"{self.warm_seconds}s", "-measured", f"{self.measured_seconds}s")


FULL = Scale(warm_seconds=1.5, measured_seconds=4, jvm_seconds=5, backlog_mib=512,
             limit_seconds=0.4, idle_seconds=2)
QUICK = Scale(warm_seconds=0.5, measured_seconds=1, jvm_seconds=1, backlog_mib=128,
              limit_seconds=0.1, idle_seconds=1)

# The newest records that are read "from the tail": fewer bytes than the hub's tail cache of 64 MiB.
TAIL_MIB = 32
PARTITIONS = 10_000
READERS = 16
RATES = (1000, 5000)

RATE = Figure("records_per_second", "acknowledged", "k records/s", scale=1e-3)
READ = Figure("records_per_second", "read", "k records/s", scale=1e-3)
MEMORY = Figure("peak_rss_mb", "most memory", "MB", higher_is_better=False, in_plot=False)


def latency_rows(name, title):
    return tuple(
        Figure(f"{name}_{word}_ms", f"{title} {shown}", "ms", higher_is_better=False,
               in_plot=word != "p999")
        for word, shown in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")))


def works(scale):
    """All works, in the order of a round."""
    listed = []
    for label, title, size in (("100b", "100 B", 100), ("1k", "1 KB", 1024)):
        for producers in (1, 4):
            plural = "" if producers == 1 else "s"
            listed.append(Work(
                f"produce-{label}-{producers}p", f"produce {title}, {producers} producer{plural}",
                ("-work", "produce", "-size", size, "-producers", producers), (RATE, MEMORY),
                bytes_per_record=size))
    listed.append(Work(
        "together-1k", "produce and consume 1 KB together", ("-work", "together", "-size", 1024),
        (RATE, Figure("delivered_per_second", "delivered", "k records/s", scale=1e-3))))
    for label, title, size in (("100b", "100 B", 100), ("1k", "1 KB", 1024)):
        records = (scale.backlog_mib << 20) // size
        if size == 100:
            records //= 4  # In Redis it must fit into memory, where a small record takes more.
        backlog = (records * size) >> 20
        listed.append(Work(
            f"consume-{label}", f"consume {title} from a backlog of {backlog} MiB",
            ("-work", "consume", "-size", size, "-records", records), (READ,), classes=("d0",)))
        if size == 1024:
            listed.append(Work(
                f"tail-{label}", f"consume the newest {TAIL_MIB} MiB of it",
                ("-work", "consume", "-size", size, "-records", records, "-newest",
                 (TAIL_MIB << 20) // size), (READ,), classes=("d0",)))
    listed.append(Work(
        "fan-out-1k", f"1 KB to {READERS} readers that keep up",
        ("-work", "fan-out", "-size", 1024, "-readers", READERS),
        (Figure("delivered_per_second", "delivered to all", "k records/s", scale=1e-3),),
        classes=("d0",)))
    for rate in RATES:
        listed.append(Work(
            f"latency-{rate}", f"end to end at {rate:,}/s of 1 KB",
            ("-work", "latency", "-size", 1024, "-rate", rate),
            latency_rows("delivered", "delivered") + (Figure(
                "acknowledged_p50_ms", "acknowledged p50", "ms", higher_is_better=False,
                in_plot=False),)))
    for clients in (1, 64):
        plural = "" if clients == 1 else "s"
        listed.append(Work(
            f"single-{clients}c", f"one record of 1 KB at a time, {clients} client{plural}",
            ("-work", "single", "-size", 1024, "-clients", clients),
            (RATE,) + latency_rows("acknowledged", "acknowledged")))
    listed.append(Work(
        "partitions-10k", f"100 B by key to {PARTITIONS:,} partitions",
        ("-work", "partitions", "-size", 100, "-partitions", PARTITIONS),
        (Figure("create_seconds", "made and first record stored", "s", higher_is_better=False),
         RATE, MEMORY), classes=("d0",)))
    listed.append(Work(
        "start", "start on an empty directory", ("-work", "first",),
        (Figure("first_answer_ms", "first answer", "ms", higher_is_better=False),
         Figure("idle_rss_mb", "memory, idle", "MB", higher_is_better=False)), classes=("d0",)))
    return listed


def chosen_works(scale, only):
    """The works that `only` names, each by its name or the beginning of it; all where empty."""
    every = works(scale)
    if not only:
        return every
    for word in only:
        if not any(matches(work, word) for work in every):
            raise ValueError(f"there is no work {word!r}; there are: "
                             + ", ".join(work.name for work in every))
    return [work for work in every if any(matches(work, word) for word in only)]


def matches(work, word):
    return work.name == word or work.name.startswith(word + "-")
