#include "server/contract/guard.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "server/hub/timer_queue.h"
#include "storage/error.h"
#include "tests/server/contract/access_fixture.h"

namespace millrace::server {
namespace {

using storage::Reason;

constexpr char kRules[] =
    R"({"principals": ["a", "b"], "rights": ["consume"], "topics": ["orders"]},)"
    R"({"principals": ["a"], "rights": ["commit"], "groups": ["billing"]})";
constexpr char kQuotas[] = R"("quotas": [{"principals": ["*"], "requests_per_second": 2,)"
                           R"("produce_bytes_per_second": 1000}])";
constexpr Entrance kEntrance = {"Service/Method", "grpc"};

const Needs kReading = {{Right::kConsume, Topic("orders")}};
const Needs kReadingAsGroup = {{Right::kCommit, Group("billing")},
                               {Right::kConsume, Topic("orders")}};
const Needs kReadingSomewhere = {{Right::kConsume, std::nullopt}};
const Needs kProducingSomewhere = {{Right::kProduce, std::nullopt}};

// A refusal that was told of, as far as tests look at it.
struct Told {
  std::string method, transport, peer, principal;
  std::optional<Reason> reason;
  int64_t left_out;
};

class GuardTest : public AccessFixture {
 protected:
  void SetUp() override {
    Use(kRules, kQuotas);
    guard_.emplace(*access_, [this](const Refusal& refusal) {
      told_.push_back({std::string(refusal.method), std::string(refusal.transport),
                       std::string(refusal.peer), std::string(refusal.principal),
                       storage::ReasonOf(refusal.status), refusal.left_out});
    });
  }

  Caller As(const std::string& name) const {
    return {.peer = "somewhere", .access = access_.get(), .principal = Principal{.name = name}};
  }

  std::optional<Reason> ReasonOfCheck(const Caller& caller, const Needs& needs) {
    return storage::ReasonOf(guard_->Check(kEntrance, caller, needs));
  }

  std::vector<Told> told_;
  std::optional<Guard> guard_;
};

TEST_F(GuardTest, LetsInWhoHasAllRightsThatAreNeeded) {
  EXPECT_TRUE(guard_->Check(kEntrance, As("a"), kReadingAsGroup).ok());
  EXPECT_TRUE(guard_->Check(kEntrance, As("b"), kReading).ok());
  EXPECT_EQ(ReasonOfCheck(As("b"), kReadingAsGroup), Reason::kPermissionDenied);
  EXPECT_EQ(ReasonOfCheck(As("c"), kReading), Reason::kPermissionDenied);
}

TEST_F(GuardTest, AsksForARightOnWhateverWhereTheRequestNamesNothing) {
  EXPECT_TRUE(guard_->Check(kEntrance, As("b"), kReadingSomewhere).ok());
  EXPECT_EQ(ReasonOfCheck(As("b"), kProducingSomewhere), Reason::kPermissionDenied);
}

TEST_F(GuardTest, AsksForSomeRightWhereNoneIsNamed) {
  EXPECT_TRUE(guard_->Check(kEntrance, As("b"), {}).ok());
  EXPECT_EQ(ReasonOfCheck(As("c"), {}), Reason::kPermissionDenied);
}

TEST_F(GuardTest, TellsTheAnonymousToSayWhoTheyAre) {
  EXPECT_EQ(ReasonOfCheck(As("anonymous"), kReading), Reason::kUnauthenticated);
}

TEST_F(GuardTest, RefusesBadCredentialsWithTheirOwnError) {
  Caller caller = As("a");
  caller.principal = storage::Error(Reason::kUnauthenticated, "the token is not accepted");
  for (const Needs& needs : {kReading, Needs()}) {
    const absl::Status refused = guard_->Check(kEntrance, caller, needs);
    EXPECT_EQ(refused.message(), "the token is not accepted");
  }
  ASSERT_EQ(told_.size(), 2);
  EXPECT_EQ(told_[0].principal, "");
}

TEST_F(GuardTest, TellsWhoWasRefusedWhatAndWhere) {
  guard_->Check(kEntrance, As("b"), kReadingAsGroup).IgnoreError();
  ASSERT_EQ(told_.size(), 1);
  EXPECT_EQ(told_[0].method, "Service/Method");
  EXPECT_EQ(told_[0].transport, "grpc");
  EXPECT_EQ(told_[0].peer, "somewhere");
  EXPECT_EQ(told_[0].principal, "b");
  EXPECT_EQ(told_[0].reason, Reason::kPermissionDenied);
  EXPECT_EQ(told_[0].left_out, 0);
}

TEST_F(GuardTest, TellsNothingOfWhatItLetsInNorOfWhatIsOpenAlready) {
  EXPECT_TRUE(guard_->Check(kEntrance, As("a"), kReading).ok());
  EXPECT_EQ(storage::ReasonOf(guard_->MayGoOn(As("c"), kReading)), Reason::kPermissionDenied);
  EXPECT_TRUE(told_.empty());
}

TEST_F(GuardTest, TellsOfFewRefusalsASecondAndCountsTheRest) {
  constexpr int kKnocks = 1000;
  const absl::Duration began = hub::MonotonicNow();
  for (int i = 0; i < kKnocks; ++i) guard_->Check(kEntrance, As("c"), kReading).IgnoreError();
  const int64_t seconds = absl::ToInt64Seconds(hub::MonotonicNow() - began) + 1;
  EXPECT_GE(told_.size(), Guard::kToldPerSecond);
  EXPECT_LE(told_.size(), Guard::kToldPerSecond * seconds);

  absl::SleepFor(absl::Seconds(1));  // Until the next second of the guard's.
  guard_->Check(kEntrance, As("c"), kReading).IgnoreError();
  int64_t all = 0;
  for (const Told& told : told_) all += 1 + told.left_out;
  EXPECT_EQ(all, kKnocks + 1);
}

TEST_F(GuardTest, CountsWhatItAdmitsAgainstTheQuotaOfThatPrincipal) {
  EXPECT_TRUE(guard_->Admit(kEntrance, As("a"), kReading, 0).ok());
  EXPECT_TRUE(guard_->Admit(kEntrance, As("a"), kReading, 0).ok());
  EXPECT_EQ(storage::ReasonOf(guard_->Admit(kEntrance, As("a"), kReading, 0)),
            Reason::kQuotaExceeded);
  EXPECT_TRUE(guard_->Check(kEntrance, As("a"), kReading).ok());
  EXPECT_TRUE(guard_->Admit(kEntrance, As("b"), kReading, 0).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(guard_->Admit(kEntrance, As("a"), kReading, 0).ok());
}

TEST_F(GuardTest, CountsBytes) {
  EXPECT_TRUE(guard_->Admit(kEntrance, As("a"), kReading, 1000).ok());
  const absl::Status refused = guard_->Admit(kEntrance, As("a"), kReading, 500);
  EXPECT_EQ(storage::ReasonOf(refused), Reason::kQuotaExceeded);
  EXPECT_EQ(storage::RetryAfterOf(refused), absl::Milliseconds(500));
  EXPECT_TRUE(told_.empty()) << "it may do this, only not so much of it";
}

TEST_F(GuardTest, TakesNothingFromTheQuotaForWhatItRefuses) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(storage::ReasonOf(guard_->Admit(kEntrance, As("b"), kReadingAsGroup, 1000)),
              Reason::kPermissionDenied);
  }
  EXPECT_TRUE(guard_->Admit(kEntrance, As("b"), kReading, 1000).ok());
}

}  // namespace
}  // namespace millrace::server
