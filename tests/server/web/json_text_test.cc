#include "server/web/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace millrace::server {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs MembersOf(std::string_view json) {
  Pairs members;
  JsonMembers reader(json);
  for (JsonMember member; reader.Next(&member);) {
    members.emplace_back(member.name, std::string(member.value));
  }
  return members;
}

std::vector<std::string> ElementsOf(std::string_view json) {
  std::vector<std::string> elements;
  JsonElements reader(json);
  for (std::string_view element; reader.Next(&element);) elements.emplace_back(element);
  return elements;
}

TEST(JsonText, TellsOneDocumentFromAnythingElse) {
  for (const char* json : {"{}", " [1] ", "null", "\"a\"", "-0.5e3"}) {
    EXPECT_TRUE(IsJson(json)) << json;
  }
  for (const char* json : {"", "{", "{}{}", "[1,]", "nul", "'a'", "\"\xff\"", "\xEF\xBB\xBF{}",
                           "{a:1}", "\"\n\"", "01"}) {
    EXPECT_FALSE(IsJson(json)) << json;
  }
  EXPECT_FALSE(IsJson(std::string_view("0\0", 2))) << "the parser ends at a NUL";
}

TEST(JsonText, NeedsNoStackForDepth) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  ASSERT_TRUE(IsJson(deep));
  EXPECT_EQ(ElementsOf(deep).size(), 1u);
}

TEST(JsonText, CutsAnObjectIntoItsMembers) {
  EXPECT_EQ(MembersOf(" { } "), Pairs{});
  EXPECT_EQ(MembersOf(R"({"a":1,"b" : {"c":[1,"}"]} , "\u0064\"":"x\\","a":tru)"
                      "e}"),
            (Pairs{{"a", "1"}, {"b", R"({"c":[1,"}"]})"}, {"d\"", R"("x\\")"}, {"a", "true"}}));
}

TEST(JsonText, CutsAnArrayIntoItsElements) {
  EXPECT_EQ(ElementsOf("[]"), std::vector<std::string>{});
  EXPECT_EQ(ElementsOf("[ 1 ,\n\"a,]\", [2,[3]], {\"b\":[]} ]"),
            (std::vector<std::string>{"1", "\"a,]\"", "[2,[3]]", "{\"b\":[]}"}));
}

TEST(JsonText, GivesNothingOfADocumentOfAnotherKind) {
  EXPECT_FALSE(JsonMembers("[1]").is_object());
  EXPECT_FALSE(JsonElements("{}").is_array());
  EXPECT_TRUE(MembersOf("[{\"a\":1}]").empty());
  EXPECT_TRUE(ElementsOf("7").empty());
  EXPECT_EQ(JsonString("7"), std::nullopt);
}

TEST(JsonText, ReadsAndWritesEveryString) {
  std::string text = "\xf0\x9f\x8d\xb5 \xc3\xa9 / \x7f";
  for (char c = 1; c < 0x20; ++c) text += c;
  text += '\0';
  text += "\"\\";
  std::string json;
  AppendJsonString(text, &json);
  EXPECT_EQ(nlohmann::json::parse(json), text);
  EXPECT_EQ(JsonString(json), text);
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace millrace::server
