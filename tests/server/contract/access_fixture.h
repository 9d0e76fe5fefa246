// Access control from a file that a test writes.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "server/access/access.h"
#include "tests/storage/contract/manual_clock.h"
#include "tests/support/temporary_directory.h"

namespace millrace::server {

class AccessFixture : public testing::Test {
 protected:
  // Of the principal "ops": `printf %s the-token-of-ops-0123456789 | sha256sum`.
  static constexpr char kToken[] = "the-token-of-ops-0123456789";
  static constexpr char kTokens[] =
      R"("tokens": [{"principal": "ops", "sha256":)"
      R"("6eff4290d3e6246d660be470eebed574f8fe78cad7d2793895dc2b53976de118"}])";

  // `rules` and what follows them are as in the file.
  void Use(const std::string& rules, const std::string& rest = kTokens) {
    const std::string file = (directory_.path() / "access.json").string();
    std::ofstream(file) << R"({"rules": [)" << rules << "], " << rest << "}";
    auto access = Access::Open({.file = file, .interval = absl::InfiniteDuration()}, clock_);
    ASSERT_TRUE(access.ok()) << access.status();
    access_ = *std::move(access);
  }

  TemporaryDirectory directory_;
  storage::ManualClock clock_;
  std::unique_ptr<Access> access_;
};

}  // namespace millrace::server
