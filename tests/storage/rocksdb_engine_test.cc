// The RocksDB engine against the contract of storage/engine.h, and what only it promises.
#include "storage/rocksdb/rocksdb_engine.h"

#include <gtest/gtest.h>

#include "tests/storage/contract/engine_contract.h"
#include "tests/storage/rocksdb_engine_factory.h"

namespace millrace::storage {
namespace {

constexpr auto kMakeFactory =
    +[]() -> std::unique_ptr<EngineFactory> { return std::make_unique<RocksDbEngineFactory>(); };

INSTANTIATE_TEST_SUITE_P(RocksDb, EngineContract, testing::Values(kMakeFactory));
INSTANTIATE_TEST_SUITE_P(RocksDb, TransactionContract, testing::Values(kMakeFactory));
INSTANTIATE_TEST_SUITE_P(RocksDb, DurableEngineContract, testing::Values(kMakeFactory));

}  // namespace
}  // namespace millrace::storage
