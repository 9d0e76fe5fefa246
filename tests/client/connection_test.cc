#include "millrace/connection.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::client {
namespace {

ConnectionOptions WithToken(const std::string& target) {
  return {.target = target, .token_file = "token"};
}

TEST(ConnectionTest, ATokenGoesToThisMachineInClear) {
  for (const char* target :
       {"localhost:9640", "localhost", "LocalHost:9640", "127.0.0.1:9640", "127.1.2.3:9640",
        "127.0.0.1", "[::1]:9640", "[::1]", "unix:hub.sock", "unix:///run/hub.sock"}) {
    EXPECT_FALSE(ExposesToken(WithToken(target))) << target;
    EXPECT_TRUE(Connection::Open(WithToken(target)).ok()) << target;
  }
}

TEST(ConnectionTest, ATokenIsNotSentElsewhereInClearUnasked) {
  for (const char* target :
       {"hub.example:9640", "10.0.0.1:9640", "128.0.0.1:9640", "[::2]:9640", "[::1].example:9640",
        "0.0.0.0:9640", "localhost.example:9640", "127.0.0.1.example:9640", "127.example:9640",
        "localhost:80@hub.example", "localhost://hub.example:9640", "dns:///hub.example:9640",
        "ipv4:127.0.0.1:9640,10.0.0.1:9640", "1270.0.0.1:9640", ""}) {
    EXPECT_TRUE(ExposesToken(WithToken(target))) << target;
    const absl::Status refused = Connection::Open(WithToken(target)).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << target;
    EXPECT_NE(refused.message().find("use TLS, or ask for it with token_in_clear"),
              std::string::npos)
        << refused;
  }
}

TEST(ConnectionTest, ATokenGoesAnywhereByTlsOrWhereAskedFor) {
  ConnectionOptions by_tls = WithToken("hub.example:9640");
  by_tls.tls.emplace();
  EXPECT_TRUE(Connection::Open(by_tls).ok());
  ConnectionOptions asked = WithToken("hub.example:9640");
  asked.token_in_clear = true;
  EXPECT_TRUE(Connection::Open(asked).ok());
}

TEST(ConnectionTest, WithoutATokenNothingIsRefused) {
  EXPECT_TRUE(Connection::Open({.target = "hub.example:9640"}).ok());
}

}  // namespace
}  // namespace millrace::client
