import pathlib

import pytest

from tests.checks.include_arrows import violations_in, violations_of

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_every_include_follows_the_arrows():
    assert [str(violation) for violation in violations_of(ROOT)] == []


@pytest.mark.parametrize(
    "file, include",
    [
        ("storage/engine.h", "server/hub/hub.h"),
        ("storage/engine.h", "storage/rocksdb/rocksdb_engine.h"),
        ("storage/batch/wire.h", "millrace/v1/record.pb.h"),
        ("storage/memory/memory_engine.cc", "storage/rocksdb/rocksdb_engine.h"),
        ("storage/memory/memory_engine.cc", "rocksdb/db.h"),
        ("server/hub/hub.cc", "millrace/v1/event_hub.pb.h"),
        ("server/hub/hub.cc", "grpcpp/grpcpp.h"),
        ("server/hub/hub.cc", "server/grpc/produce_call.h"),
        ("server/hub/hub.cc", "storage/rocksdb/rocksdb_engine.h"),
        ("server/hub/hub.cc", "server/contract/conversions.h"),
        ("server/contract/conversions.cc", "millrace/v1/topic.grpc.pb.h"),
        ("server/contract/conversions.cc", "grpcpp/grpcpp.h"),
        ("server/contract/conversions.cc", "boost/asio.hpp"),
        ("server/web/web_server.cc", "grpcpp/grpcpp.h"),
        ("server/web/web_server.cc", "server/grpc/status.h"),
        ("server/grpc/grpc_server.cc", "server/web/web_server.h"),
        ("server/grpc/topic_service.cc", "server/app/options.h"),
        ("server/grpc/topic_service.cc", "storage/memory/memory_engine.h"),
        ("server/main.cc", "server/hub/hub.h"),
        ("client/cpp/producer.cc", "server/hub/placement.h"),
        ("client/cpp/producer.cc", "storage/types.h"),
        ("client/cpp/include/millrace/producer.h", "grpcpp/grpcpp.h"),
        ("client/cpp/include/millrace/producer.h", "client/cpp/channel.h"),
        ("client/cli/app.cc", "client/cpp/channel.h"),
        ("client/cli/app.cc", "millrace/v1/topic.pb.h"),
        ("server/hub/hub.cc", "tests/support/test_clock.h"),
    ],
)
def test_a_planted_violation_is_caught(file, include):
    text = f'#pragma once\n#include "{include}"\n'
    assert [(v.file, v.line, v.include) for v in violations_in(file, text)] == [(file, 2, include)]


@pytest.mark.parametrize(
    "file, include",
    [
        ("server/main.cc", "server/app/app.h"),
        ("server/app/app.cc", "storage/rocksdb/rocksdb_engine.h"),
        ("server/grpc/topic_service.cc", "millrace/v1/topic.grpc.pb.h"),
        ("server/hub/hub.cc", "storage/engine.h"),
        ("server/contract/conversions.cc", "millrace/v1/topic.pb.h"),
        ("server/web/web_server.cc", "boost/beast.hpp"),
        ("client/cli/app.cc", "millrace/admin.h"),
        ("tests/server/hub/hub_test.cc", "storage/memory/memory_engine.h"),
    ],
)
def test_an_include_along_an_arrow_is_allowed(file, include):
    assert list(violations_in(file, f"#include <{include}>\n")) == []


def test_a_planted_violation_in_the_tree_is_caught(tmp_path):
    planted = tmp_path / "server" / "hub" / "planted.h"
    planted.parent.mkdir(parents=True)
    planted.write_text('#pragma once\n\n#include "storage/rocksdb/rocksdb_engine.h"\n')
    assert [v.file for v in violations_of(tmp_path)] == ["server/hub/planted.h"]
