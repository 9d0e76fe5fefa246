"""The README's error table and storage/error.h must tell the same."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def code_of(enumerator):
    """kNotFound -> NOT_FOUND, as gRPC spells it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enumerator.removeprefix("k")).upper()


def retry_of(milliseconds):
    if milliseconds < 0:
        return "no"
    return f"after {milliseconds // 1000} s" if milliseconds % 1000 == 0 else f"after {milliseconds} ms"


def reasons_of_the_code():
    header = (ROOT / "storage" / "error.h").read_text()
    rows = re.findall(r'X\(k\w+, "(\w+)", (k\w+), (-?\d+)\)', header)
    return [(word, code_of(code), retry_of(int(retry))) for word, code, retry in rows]


def reasons_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    return re.findall(r"^\| `([A-Z_]+)` \| ([A-Z_]+) \| ([^|]+?) \| [^|]+ \|$", readme, re.M)


def test_the_readme_lists_the_reasons_of_the_code_in_order():
    assert reasons_of_the_readme() == reasons_of_the_code()


def test_the_code_has_reasons_and_no_word_twice():
    words = [word for word, _, _ in reasons_of_the_code()]
    assert len(words) > 20
    assert len(words) == len(set(words))


def test_every_reason_that_the_contract_names_exists():
    words = {word for word, _, _ in reasons_of_the_code()}
    codes = {code for _, code, _ in reasons_of_the_code()}
    for proto in sorted((ROOT / "proto" / "millrace" / "v1").glob("*.proto")):
        named = re.findall(r"\b([A-Z][A-Z_]+)/([A-Z][A-Z_]+)\b", proto.read_text())
        for code, word in named:
            assert code in codes, f"{proto.name}: {code}"
            assert word in words, f"{proto.name}: {word}"
