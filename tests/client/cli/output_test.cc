#include "client/cli/output/output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <string>

#include "client/cli/output/json_line.h"
#include "client/cli/output/json_value.h"
#include "client/cli/output/table.h"
#include "client/cli/output/terminal.h"
#include "client/cli/output/utf8.h"

namespace millrace::cli {
namespace {

TEST(IsUtf8, TakesWellFormedText) {
  for (const char* text : {"", "plain", "żółw", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8A", "\x7f",
                           "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(IsUtf8, RefusesBrokenOverlongAndSurrogateBytes) {
  for (const char* bytes : {"\x80", "\xC3", "a\xff", "\xC0\xAF", "\xE0\x9F\xBF", "\xED\xA0\x80",
                            "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xE2\x82", "\xE2\x28\xA1"}) {
    EXPECT_FALSE(IsUtf8(bytes)) << bytes;
  }
}

TEST(JsonLine, KeepsTheOrderOfFieldsAndEscapesText) {
  EXPECT_EQ(
      JsonLine()
          .Text("b", "say \"hi\"\n\\ \x01 ż")
          .Number("a", -7)
          .Decimal("d", 1.25)
          .Bool("ok", true)
          .Null("none")
          .Json("list", JsonArray().Add("1").Add("{}").Take())
          .Take(),
      R"({"b":"say \"hi\"\n\\ \u0001 ż","a":-7,"d":1.250,"ok":true,"none":null,"list":[1,{}]})");
  EXPECT_EQ(JsonLine().Take(), "{}");
}

TEST(JsonString, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(JsonString("a\xff\xC3ż"), "\"a\xEF\xBF\xBD\xEF\xBF\xBDż\"");
}

TEST(AsJsonDocument, TakesNothingThatGoesOnBehindANul) {
  EXPECT_EQ(AsJsonDocument(std::string_view("0\0", 2)), std::nullopt);
  EXPECT_EQ(AsJsonDocument(std::string_view("{}\0{}", 5)), std::nullopt);
}

TEST(AsJsonDocument, KeepsADocumentAsItIsWritten) {
  for (const char* json : {R"({"b":1,"a":[true,null,"x y"]})", "42", "-0.5", "\"text\"", "null",
                           "[]", R"({"n":0.1,"e":1e-7,"big":9007199254740992,"m":1.10})",
                           R"(["\"quoted \\",  "\u017c"])", R"({"a":{"a":1}})"}) {
    ASSERT_TRUE(AsJsonDocument(json)) << json;
  }
  EXPECT_EQ(*AsJsonDocument(R"({"b":1.10,"a":[true,"x y"]})"), R"({"b":1.10,"a":[true,"x y"]})");
}

TEST(AsJsonDocument, LeavesOutWhiteSpaceBetweenTokensOnly) {
  EXPECT_EQ(*AsJsonDocument("{\n  \"a b\" : [1,\t2],\r\n \"q\": \"\\\" x\" }\n"),
            R"({"a b":[1,2],"q":"\" x"})");
}

TEST(AsJsonDocument, RefusesWhatIsNoDocument) {
  for (const char* text : {"", " ", "plain text", "{", "{} {}", "{'a':1}", "[1,]", "01", "NaN",
                           "\"\xff\"", "\"\\ud800\"", "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(AsJsonDocument(text)) << text;
  }
}

TEST(AsJsonDocument, RefusesWhatAReaderWouldNotKeepExactly) {
  for (const char* text :
       {R"({"a":1,"a":2})", "9007199254740993", "-9007199254740993",
        "123456789012345678901234567890", "0.12345678901234567890", "1e400", "1e-400"}) {
    EXPECT_FALSE(AsJsonDocument(text)) << text;
  }
}

TEST(AsJsonDocument, RefusesDeepNesting) {
  EXPECT_TRUE(AsJsonDocument(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(AsJsonDocument(std::string(65, '[') + std::string(65, ']')));
  EXPECT_FALSE(AsJsonDocument(std::string(1'000'000, '[')));
}

TEST(Table, AlignsColumnsByTheirWidestCell) {
  Table table({{"NAME"}, {"COUNT", Align::kRight}, {"NOTE"}});
  table.Add({"orders", "7", "żółw"});
  table.Add({"x", "1,000", ""});
  EXPECT_EQ(table.Render(false),
            "NAME    COUNT  NOTE\n"
            "orders      7  żółw\n"
            "x       1,000  \n");
  EXPECT_TRUE(table.Render(true).starts_with("\x1b[1mNAME    COUNT  NOTE\x1b[0m\n"));
}

TEST(RenderFields, PutsValuesBelowOneAnother) {
  EXPECT_EQ(RenderFields({{"a", "1"}, {"long", "2"}}, false), "a:     1\nlong:  2\n");
}

TEST(WantsColour, OnlyOnATerminalThatShowsThemAndWithoutNoColor) {
  std::map<std::string, std::string> variables;
  const Environment environment = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  EXPECT_TRUE(WantsColour(true, environment));
  EXPECT_FALSE(WantsColour(false, environment));
  variables["TERM"] = "dumb";
  EXPECT_FALSE(WantsColour(true, environment));
  variables = {{"TERM", "xterm"}, {"NO_COLOR", ""}};
  EXPECT_TRUE(WantsColour(true, environment));
  variables["NO_COLOR"] = "1";
  EXPECT_FALSE(WantsColour(true, environment));
}

class Pipe : public ::testing::Test {
 protected:
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::pipe(ends_.data()), 0);
  }
  ~Pipe() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  std::array<int, 2> ends_{};
};

TEST_F(Pipe, GetsWhatIsWrittenOnceItIsFlushed) {
  Output output(ends_[1]);
  ASSERT_TRUE(output.Write("one ").ok());
  ASSERT_TRUE(output.Write("two").ok());
  ASSERT_TRUE(output.Flush().ok());
  std::array<char, 16> buffer{};
  ASSERT_EQ(::read(ends_[0], buffer.data(), buffer.size()), 7);
  EXPECT_STREQ(buffer.data(), "one two");
}

TEST_F(Pipe, ThatWasClosedByItsReaderIsToldApartFromOtherErrors) {
  Output output(ends_[1]);
  ::close(ends_[0]);
  ASSERT_TRUE(output.Write("lost").ok());
  EXPECT_TRUE(IsBrokenPipe(output.Flush()));
  EXPECT_TRUE(IsBrokenPipe(output.Write("more")));
  ::close(ends_[1]);
  Output closed(ends_[1]);
  ASSERT_TRUE(closed.Write("lost").ok());
  const absl::Status status = closed.Flush();
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(IsBrokenPipe(status));
}

}  // namespace
}  // namespace millrace::cli
