"""Reads a hub's /metrics as Prometheus would, and more strictly."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """One reading of all metrics."""

    def __init__(self, hub):
        with urllib.request.urlopen(f"http://localhost:{hub.web_port}/metrics", timeout=60) as answer:
            self.content_type = answer.headers["content-type"]
            self.text = answer.read().decode()
        self.families = list(text_string_to_metric_families(self.text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def values(self, name, **labels):
        """{labels: value} of the samples with these labels."""
        return {tuple(sorted(sample.labels.items())): sample.value for sample in self.samples
                if sample.name == name and labels.items() <= sample.labels.items()}

    def value(self, name, **labels):
        """The value of the one sample with these labels."""
        found = self.values(name, **labels)
        assert len(found) == 1, f"{name} {labels}: {found}"
        return next(iter(found.values()))

    def total(self, name, **labels):
        return sum(self.values(name, **labels).values())

    @property
    def names(self):
        """Every name that a query may ask for."""
        return {sample.name for sample in self.samples}
