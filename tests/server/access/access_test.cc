#include "server/access/access.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "storage/error.h"
#include "tests/server/access/signing_key.h"
#include "tests/storage/contract/manual_clock.h"
#include "tests/support/temporary_directory.h"

namespace millrace::server {
namespace {

using storage::ErrorMetadata;
using storage::Reason;

constexpr char kJwt[] =
    R"("jwt": {"issuer": "login", "audience": "hub", "jwks_file": "keys.json"})";

std::string RuleFor(const std::string& principal, const std::string& right) {
  return R"({"principals": [")" + principal + R"("], "rights": [")" + right +
         R"("], "topics": ["orders"]})";
}

class AccessTest : public testing::Test {
 protected:
  // As an operator would: by renaming.
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_.path() / name;
    std::ofstream(path.string() + ".new") << text;
    std::filesystem::rename(path.string() + ".new", path);
  }

  void WriteRules(const std::string& rules, const std::string& rest = "") {
    Write("access.json", R"({"rules": [)" + rules + "]" + (rest.empty() ? "" : ", " + rest) + "}");
  }

  std::string file() const { return (directory_.path() / "access.json").string(); }

  absl::StatusOr<std::unique_ptr<Access>> TryOpen() {
    return Access::Open({.file = file(),
                         .interval = absl::InfiniteDuration(),
                         .refused = [this](const absl::Status& why) { refusals_.push_back(why); }},
                        clock_);
  }

  std::unique_ptr<Access> Open() {
    auto access = TryOpen();
    EXPECT_TRUE(access.ok()) << access.status();
    return *std::move(access);
  }

  // The sentence of a refusal at the start, behind the folder.
  std::string RefusalToOpen() {
    const absl::Status status = TryOpen().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    const std::string sentence(status.message());
    const std::string folder = directory_.path().string() + "/";
    EXPECT_EQ(sentence.substr(0, folder.size()), folder);
    return sentence.substr(folder.size());
  }

  std::string TokenOf(const SigningKey& key, const std::string& kid) const {
    return Signed(key, {{"alg", "\"ES256\""}, {"kid", '"' + kid + '"'}},
                  {{"iss", "\"login\""},
                   {"aud", "\"hub\""},
                   {"sub", "\"billing\""},
                   {"exp", std::to_string(absl::ToUnixSeconds(clock_.Now()) + 600)}});
  }

  TemporaryDirectory directory_;
  storage::ManualClock clock_;
  std::vector<absl::Status> refusals_;
};

TEST_F(AccessTest, RefusesWhatTheRulesDoNotAllow) {
  WriteRules(RuleFor("a", "consume"));
  const auto access = Open();
  const Principal a = {.name = "a"};
  EXPECT_TRUE(access->Check(a, Right::kConsume, Topic("orders")).ok());
  const absl::Status refused = access->Check(a, Right::kProduce, Topic("orders"));
  EXPECT_EQ(storage::ReasonOf(refused), Reason::kPermissionDenied);
  EXPECT_EQ(refused.message(), "a may not produce topic orders");
  EXPECT_EQ(storage::MetadataOf(refused),
            (ErrorMetadata{{"right", "produce"}, {"topic", "orders"}}));
  EXPECT_EQ(storage::MetadataOf(access->Check(a, Right::kCommit, Group("g"))),
            (ErrorMetadata{{"right", "commit"}, {"group", "g"}}));
  EXPECT_EQ(storage::MetadataOf(access->Check(a, Right::kInspect, Hub())),
            (ErrorMetadata{{"right", "inspect"}}));
}

TEST_F(AccessTest, AsksTheAnonymousWhoTheyAre) {
  WriteRules(RuleFor("*", "consume"));
  const auto access = Open();
  const auto nobody = access->Authenticate({});
  ASSERT_TRUE(nobody.ok());
  EXPECT_EQ(storage::ReasonOf(access->Check(*nobody, Right::kConsume, Topic("orders"))),
            Reason::kUnauthenticated);
  EXPECT_EQ(storage::ReasonOf(access->CheckAnything(*nobody)), Reason::kUnauthenticated);
  EXPECT_EQ(storage::ReasonOf(access->CheckSomewhere(*nobody, Right::kConsume)),
            Reason::kUnauthenticated);
}

TEST_F(AccessTest, KnowsWhetherAnythingIsAllowed) {
  WriteRules(RuleFor("a", "consume"));
  const auto access = Open();
  EXPECT_TRUE(access->CheckAnything({.name = "a"}).ok());
  EXPECT_TRUE(access->CheckSomewhere({.name = "a"}, Right::kConsume).ok());
  EXPECT_EQ(storage::ReasonOf(access->CheckAnything({.name = "b"})), Reason::kPermissionDenied);
  const absl::Status refused = access->CheckSomewhere({.name = "a"}, Right::kProduce);
  EXPECT_EQ(storage::ReasonOf(refused), Reason::kPermissionDenied);
  EXPECT_EQ(storage::MetadataOf(refused), (ErrorMetadata{{"right", "produce"}}));
}

TEST_F(AccessTest, RefusesACredentialThatHasExpired) {
  WriteRules(RuleFor("a", "consume"));
  const auto access = Open();
  const Principal a = {.name = "a", .expires = clock_.Now() + absl::Seconds(1)};
  EXPECT_TRUE(access->Check(a, Right::kConsume, Topic("orders")).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(storage::ReasonOf(access->Check(a, Right::kConsume, Topic("orders"))),
            Reason::kUnauthenticated);
}

TEST_F(AccessTest, DoesNotOpenWithABadFile) {
  EXPECT_EQ(RefusalToOpen(), "access.json: No such file or directory");
  WriteRules(RuleFor("a", "eat"));
  EXPECT_EQ(RefusalToOpen(),
            "access.json: rules[0].rights[0]: is none of produce, consume, commit, "
            "inspect, administer");
  Write("access.json", std::string((4 << 20) + 1, ' '));
  EXPECT_EQ(RefusalToOpen(), "access.json: has more than 4194304 bytes");
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_EQ(RefusalToOpen(), "access.json: cannot be read");
}

TEST_F(AccessTest, DoesNotOpenWithABadKeySet) {
  WriteRules(RuleFor("a", "consume"), kJwt);
  EXPECT_EQ(RefusalToOpen(), "keys.json: No such file or directory");
  Write("keys.json", "{}");
  EXPECT_EQ(RefusalToOpen(), "keys.json: keys: is missing");
}

TEST_F(AccessTest, UsesNewRulesAndTellsOfThem) {
  WriteRules(RuleFor("a", "consume"));
  const auto access = Open();
  const Principal a = {.name = "a"};
  int told = 0;
  const auto watching = access->OnChange([&] {
    ++told;
    // The new rules are in use when this is told.
    EXPECT_FALSE(access->Check(a, Right::kConsume, Topic("orders")).ok());
  });
  const auto old_rules = access->rules();
  access->Look();
  EXPECT_EQ(told, 0);
  WriteRules(RuleFor("a", "produce"));
  access->Look();
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(access->Check(a, Right::kProduce, Topic("orders")).ok());
  EXPECT_TRUE(old_rules->Allows("a", Right::kConsume, Topic("orders")));
  EXPECT_TRUE(refusals_.empty());
}

TEST_F(AccessTest, TellsNobodyWhoNoLongerWatches) {
  WriteRules(RuleFor("a", "consume"));
  const auto access = Open();
  int told = 0;
  auto gone = access->OnChange([&] { told += 100; });
  const auto stays = access->OnChange([&] {
    ++told;
    gone.reset();
  });
  gone.reset();
  WriteRules(RuleFor("b", "consume"));
  access->Look();
  EXPECT_EQ(told, 1);
}

TEST_F(AccessTest, KeepsTheOldRulesWhereTheNewAreBadAndSaysSoOnce) {
  WriteRules(RuleFor("a", "consume"));
  const auto access = Open();
  int told = 0;
  const auto watching = access->OnChange([&] { ++told; });
  WriteRules("");
  access->Look();
  access->Look();
  ASSERT_EQ(refusals_.size(), 1);
  EXPECT_EQ(refusals_[0].message(), file() + ": rules: is empty");
  EXPECT_TRUE(access->Check({.name = "a"}, Right::kConsume, Topic("orders")).ok());
  EXPECT_EQ(told, 0);

  std::filesystem::remove(file());
  access->Look();
  access->Look();
  EXPECT_EQ(refusals_.size(), 2);
  EXPECT_TRUE(access->Check({.name = "a"}, Right::kConsume, Topic("orders")).ok());

  WriteRules(RuleFor("b", "consume"));
  access->Look();
  EXPECT_FALSE(access->Check({.name = "a"}, Right::kConsume, Topic("orders")).ok());
  EXPECT_EQ(told, 1);
  WriteRules("");
  access->Look();
  EXPECT_EQ(refusals_.size(), 3) << "a reason that came back is new";
}

TEST_F(AccessTest, RotatesTheKeysOfTokens) {
  const SigningKey old_key = SigningKey::Ec();
  const SigningKey new_key = SigningKey::Ec();
  const std::string old_jwk = old_key.Jwk({{"kid", "\"1\""}});
  const std::string new_jwk = new_key.Jwk({{"kid", "\"2\""}});
  WriteRules(RuleFor("billing", "consume"), kJwt);
  Write("keys.json", KeySet({old_jwk}));
  const auto access = Open();
  const std::string old_token = TokenOf(old_key, "1");
  const std::string new_token = TokenOf(new_key, "2");
  const auto accepts = [&](const std::string& token) {
    return access->Authenticate({.bearer = token}).ok();
  };
  EXPECT_TRUE(accepts(old_token));
  EXPECT_FALSE(accepts(new_token));

  Write("keys.json", KeySet({old_jwk, new_jwk}));
  access->Look();
  EXPECT_TRUE(accepts(old_token));
  EXPECT_TRUE(accepts(new_token));

  Write("keys.json", R"({"keys": [{"kty": "RSA"}]})");
  access->Look();
  access->Look();
  ASSERT_EQ(refusals_.size(), 1);
  EXPECT_EQ(refusals_[0].message(),
            (directory_.path() / "keys.json").string() + ": keys[0]: is no key");
  EXPECT_TRUE(accepts(old_token));

  // Its signature had been verified before: that counts no longer.
  Write("keys.json", KeySet({new_jwk}));
  access->Look();
  EXPECT_FALSE(accepts(old_token));
  EXPECT_TRUE(accepts(new_token));
}

TEST_F(AccessTest, TakesTokensAwayWithTheFile) {
  // sha256("secret").
  const std::string tokens =
      R"("tokens": [{"principal": "a", "sha256": )"
      R"("2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"}])";
  WriteRules(RuleFor("a", "consume"), tokens);
  const auto access = Open();
  const auto principal = access->Authenticate({.bearer = "secret"});
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->name, "a");
  WriteRules(RuleFor("a", "consume"));
  access->Look();
  EXPECT_EQ(storage::ReasonOf(access->Authenticate({.bearer = "secret"}).status()),
            Reason::kUnauthenticated);
}

TEST_F(AccessTest, UsesNewQuotas) {
  const auto quota = [](int rate) {
    return R"("quotas": [{"principals": ["a"], "requests_per_second": )" + std::to_string(rate) +
           "}]";
  };
  WriteRules(RuleFor("a", "consume"), quota(1));
  const auto access = Open();
  EXPECT_TRUE(access->quotas().Take("a", 1, 0).ok());
  EXPECT_FALSE(access->quotas().Take("a", 1, 0).ok());
  WriteRules(RuleFor("a", "consume"), quota(2));
  access->Look();
  EXPECT_TRUE(access->quotas().Take("a", 1, 0).ok());
  EXPECT_FALSE(access->quotas().Take("a", 1, 0).ok());
}

TEST_F(AccessTest, LooksAtTheFilesByItself) {
  WriteRules(RuleFor("a", "consume"));
  auto access = Access::Open({.file = file(), .interval = absl::Milliseconds(1)});
  ASSERT_TRUE(access.ok()) << access.status();
  std::mutex mutex;
  std::condition_variable changed;
  bool told = false;
  const auto watching = (*access)->OnChange([&] {
    const std::lock_guard lock(mutex);
    told = true;
    changed.notify_one();
  });
  WriteRules(RuleFor("b", "consume"));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return told; });
  EXPECT_TRUE((*access)->Check({.name = "b"}, Right::kConsume, Topic("orders")).ok());
}

}  // namespace
}  // namespace millrace::server
