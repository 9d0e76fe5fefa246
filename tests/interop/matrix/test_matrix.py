"""Every language consumes what every language wrote: the same keys, values and headers, byte by byte."""

import itertools
import re

import pytest

from millrace.v1 import record_pb2
from tests.interop.matrix.languages import EXAMPLES, LANGUAGES, Member, Producer
from tests.interop.matrix.orders import LINES, PARTITIONS, expected_parts, expected_text, parts, placed, stored
from tests.support.calls import committed

PAGE = 100  # Lines of code.


@pytest.fixture(scope="module")
def written(hub, tmp_path_factory):
    """written(language): a topic with LINES, sent by that language's producer, once."""
    producers = {}

    def write(language):
        topic = f"orders.{language}"
        if language not in producers:
            hub.millrace("topic", "create", topic, "--partitions", PARTITIONS)
            producers[language] = Producer(language, tmp_path_factory.mktemp("producer") / "log", hub.target, topic)
            try:
                producers[language].send(LINES)
                producers[language].finish()
            finally:
                producers[language].kill()
        return topic, producers[language]

    return write


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
def test_a_producer_stores_what_the_lines_say_where_every_language_does(language, written, events_stub):
    topic, producer = written(language)
    found = {partition: [parts(record) for record in records]
             for partition, records in stored(events_stub, topic).items()}
    expected = placed(LINES)
    assert len(expected) == PARTITIONS
    assert found == {partition: [expected_parts(line, language.name) for line in lines]
                     for partition, lines in expected.items()}
    numbered = {partition: iter(range(len(lines))) for partition, lines in expected.items()}
    places = {line: partition for partition, lines in expected.items() for line in lines}
    assert producer.places() == [(places[line], next(numbered[places[line]])) for line in LINES]


@pytest.mark.parametrize(("producer", "consumer"), itertools.product(LANGUAGES, LANGUAGES),
                         ids=[f"{a}-to-{b}" for a, b in itertools.product(LANGUAGES, LANGUAGES)])
def test_a_member_of_each_language_reads_what_a_producer_of_each_wrote(producer, consumer, written, start, events_stub):
    topic, _ = written(producer)
    group = f"{consumer}-reads-{producer}"
    member = start(Member, consumer, topic, group)
    member.wait_processed(len(LINES))
    member.stop()

    found = {}
    for processed in member.processed():
        records = found.setdefault(processed.partition, [])
        assert processed.offset == len(records)
        records.append((parts(record_pb2.Record.FromString(processed.record)), processed.key, processed.text))
    assert found == {
        partition: [(expected_parts(line, producer.name), line.split(",")[0], expected_text(line)) for line in lines]
        for partition, lines in placed(LINES).items()}
    assert committed(events_stub, group) == {
        (topic, partition): len(lines) for partition, lines in placed(LINES).items()}


def lines_of_code(source):
    """Without blank lines and imports."""
    text = (EXAMPLES / source).read_text()
    text = re.sub(r"^import \(.*?^\)\n|^import \{[^}]*\} from .*?\n", "", text, flags=re.M | re.S)
    skipped = re.compile(r"\s*$|import |from \S+ import|#include|use |package ")
    return sum(not skipped.match(line) for line in text.splitlines())


@pytest.mark.parametrize("language", LANGUAGES, ids=str)
def test_each_program_is_under_a_page_as_the_readme_counts(language):
    counts = [lines_of_code(source) for source in language.sources]
    assert max(counts) < PAGE
    row = re.compile(rf"^\| [^|]+ \| \[\d+\]\({re.escape(language.sources[0])}\) \| \[\d+\]\({re.escape(language.sources[1])}\) \|",
                     re.M).search((EXAMPLES / "README.md").read_text())
    assert row and [int(count) for count in re.findall(r"\[(\d+)\]", row[0])] == counts
