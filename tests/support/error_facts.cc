#include "tests/support/error_facts.h"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

namespace millrace::testing {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr char kTypePrefix[] = "type.googleapis.com/google.rpc.";

// A message of no known type.
class Fields {
 public:
  explicit Fields(const std::string& bytes) {
    EXPECT_TRUE(fields_.ParseFromString(bytes)) << "not protobuf";
  }

  operator const UnknownFieldSet&() const { return fields_; }  // NOLINT: that is its purpose.

 private:
  UnknownFieldSet fields_;
};

std::vector<std::string> Strings(const UnknownFieldSet& fields, int number) {
  std::vector<std::string> found;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() != number) continue;
    EXPECT_EQ(field.type(), UnknownField::TYPE_LENGTH_DELIMITED);
    found.push_back(field.length_delimited());
  }
  return found;
}

std::string String(const UnknownFieldSet& fields, int number) {
  const auto found = Strings(fields, number);
  EXPECT_LE(found.size(), 1u);
  return found.empty() ? "" : found[0];
}

int64_t Number(const UnknownFieldSet& fields, int number) {
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() == number) return static_cast<int64_t>(fields.field(i).varint());
  }
  return 0;
}

void ReadDetail(const std::string& type, const UnknownFieldSet& detail, ErrorFacts& facts) {
  if (type == "ErrorInfo") {
    facts.reason = String(detail, 1);
    facts.domain = String(detail, 2);
    for (const std::string& entry : Strings(detail, 3)) {
      const Fields pair(entry);
      facts.metadata[String(pair, 1)] = String(pair, 2);
    }
  } else if (type == "RetryInfo") {
    const Fields delay(String(detail, 1));
    facts.retry_after_ms = Number(delay, 1) * 1000 + Number(delay, 2) / 1'000'000;
  } else if (type == "BadRequest") {
    for (const std::string& violation : Strings(detail, 1)) {
      facts.fields.push_back(String(Fields(violation), 1));
      EXPECT_NE(String(Fields(violation), 2), "");
    }
  } else {
    ADD_FAILURE() << "a detail of type " << type;
  }
}

}  // namespace

ErrorFacts FactsOf(const grpc::Status& status) {
  ErrorFacts facts{.code = status.error_code(), .message = status.error_message()};
  if (status.ok()) return facts;
  EXPECT_NE(status.error_details(), "") << status.error_message();
  const Fields rpc_status(status.error_details());
  EXPECT_EQ(Number(rpc_status, 1), status.error_code());
  EXPECT_EQ(String(rpc_status, 2), status.error_message());
  for (const std::string& any : Strings(rpc_status, 3)) {
    const Fields packed(any);
    const std::string type = String(packed, 1);
    EXPECT_EQ(type.find(kTypePrefix), 0u) << type;
    ReadDetail(type.substr(sizeof(kTypePrefix) - 1), Fields(String(packed, 2)), facts);
  }
  return facts;
}

}  // namespace millrace::testing
