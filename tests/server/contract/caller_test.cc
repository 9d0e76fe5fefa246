#include "server/contract/caller.h"

#include <vector>

#include "storage/error.h"
#include "tests/server/contract/access_fixture.h"

namespace millrace::server {
namespace {

using storage::Reason;

constexpr char kRules[] = R"({"principals": ["ops"], "rights": ["consume"], "topics": ["orders"]})";

class CallerTest : public AccessFixture {
 protected:
  void SetUp() override { Use(kRules); }

  Caller Identified(const std::vector<std::string_view>& authorization,
                    std::string_view certificate_name = "") {
    return Identify(access_.get(), "somewhere", authorization, certificate_name);
  }

  // The name of the principal; where there is none, why.
  std::string NameFor(const std::vector<std::string_view>& authorization,
                      std::string_view certificate_name = "") {
    const Caller caller = Identified(authorization, certificate_name);
    if (caller.principal.ok()) return caller.principal->name;
    EXPECT_EQ(storage::ReasonOf(caller.principal.status()), Reason::kUnauthenticated);
    return "refused";
  }

  const std::string bearer_ = std::string("Bearer ") + kToken;
};

TEST_F(CallerTest, IsWhomTheTokenNames) {
  EXPECT_EQ(NameFor({bearer_}), "ops");
  EXPECT_EQ(NameFor({std::string("bearer ") + kToken}), "ops");
}

TEST_F(CallerTest, IsWhomTheCertificateNamesWhereThereIsNoToken) {
  EXPECT_EQ(NameFor({}, "billing"), "billing");
  EXPECT_EQ(NameFor({bearer_}, "billing"), "ops");
  EXPECT_EQ(NameFor({"Bearer no-such-token-0123456789"}, "billing"), "refused");
}

TEST_F(CallerTest, IsAnonymousWithNeither) { EXPECT_EQ(NameFor({}), "anonymous"); }

TEST_F(CallerTest, IsRefusedWithAnAuthorizationThatIsNoBearerToken) {
  for (const std::string_view value : {"", "Bearer", "Bearer ", "Basic b3BzOm9wcw==", kToken}) {
    EXPECT_EQ(NameFor({value}), "refused") << '"' << value << '"';
    EXPECT_EQ(NameFor({value}, "billing"), "refused") << '"' << value << '"';
  }
}

TEST_F(CallerTest, IsRefusedWithTwoAuthorizations) {
  EXPECT_EQ(NameFor({bearer_, bearer_}), "refused");
}

TEST_F(CallerTest, IsNotLookedAtWithoutAccessControl) {
  const Caller caller = Identify(nullptr, "somewhere", {"Basic b3BzOm9wcw=="}, "billing");
  EXPECT_TRUE(caller.principal.ok());
  EXPECT_EQ(caller.peer, "somewhere");
  EXPECT_EQ(caller.owner(), "");
  EXPECT_TRUE(caller.Sees(Topic("whatever")));
}

TEST_F(CallerTest, SeesWhatItMayInspect) {
  const Caller ops = Identified({bearer_});
  EXPECT_EQ(ops.owner(), "ops");
  EXPECT_TRUE(ops.Sees(Topic("orders")));
  EXPECT_FALSE(ops.Sees(Topic("returns")));
  EXPECT_FALSE(Identified({}).Sees(Topic("orders")));
  const Caller refused = Identified({"Bearer "});
  EXPECT_FALSE(refused.Sees(Topic("orders")));
  EXPECT_EQ(refused.owner(), "");
}

}  // namespace
}  // namespace millrace::server
