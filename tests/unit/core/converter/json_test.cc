#include "core/converter/json.h"

#include <limits>

#include "gtest/gtest.h"

namespace chimera::core {
namespace {

std::string number(double value) {
  std::string out;
  JsonWriter(out).number(value);
  return out;
}

std::string text(std::string_view value) {
  std::string out;
  JsonWriter(out).string(value);
  return out;
}

// Both languages must write the same bytes; the right sides are what Python 3.11's json.dumps
// printed.
TEST(JsonWriterTest, WritesNumbersAsPythonDoes) {
  EXPECT_EQ(number(1), "1.0");
  EXPECT_EQ(number(-0.0), "-0.0");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1e15), "1000000000000000.0");
  EXPECT_EQ(number(1e16), "1e+16");
  EXPECT_EQ(number(1.5e-7), "1.5e-07");
  EXPECT_EQ(number(0.0001), "0.0001");
  EXPECT_EQ(number(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "Infinity");
}

TEST(JsonWriterTest, EscapesAsPythonDoes) {
  EXPECT_EQ(text("a\"b\\c\n\x01/\x7f"), R"("a\"b\\c\n\u0001/\u007f")");
  EXPECT_EQ(text("\xC3\xA9\xE2\x82\xAC"), R"("\u00e9\u20ac")");
  EXPECT_EQ(text("\xF0\x9F\x98\x80"), R"("\ud83d\ude00")");
}

TEST(JsonWriterTest, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(text("\xFFz\xC3"), R"("\ufffdz\ufffd")");
  EXPECT_EQ(text("\xED\xA0\x80"), R"("\ufffd\ufffd\ufffd")");
}

TEST(JsonWriterTest, PutsCommasBetweenValuesOnly) {
  std::string out;
  JsonWriter writer(out);

  writer.begin_object();
  writer.key("a");
  writer.begin_array();
  writer.integer(-1);
  writer.null();
  writer.end_array();
  writer.key("b");
  writer.begin_object();
  writer.end_object();
  writer.end_object();

  EXPECT_EQ(out, R"({"a":[-1,null],"b":{}})");
}

TEST(JsonDocumentTest, ReadsWhatWasWritten) {
  const auto document = JsonDocument::parse(R"({"x":[1,-2,2.5,"\u00e9",true,null]})");
  ASSERT_TRUE(document.ok());
  ASSERT_EQ(document->root().kind(), JsonKind::kObject);

  std::vector<JsonKind> kinds;
  document->root().for_each([&](std::string_view, JsonNode list) {
    for (std::size_t i = 0; i < list.size(); ++i) kinds.push_back(list.at(i).kind());
    return true;
  });

  EXPECT_EQ(kinds, (std::vector{JsonKind::kUnsigned, JsonKind::kInteger, JsonKind::kNumber,
                                JsonKind::kString, JsonKind::kBoolean, JsonKind::kNull}));
}

// A text that is one value is read otherwise than one inside an array.
TEST(JsonDocumentTest, ReadsAValueAloneAsInsideAnArray) {
  for (const std::string text : {R"("")",
                                 R"("abc")",
                                 R"("a\"b")",
                                 R"("a"b")",
                                 R"("a\u00e9")",
                                 "\"\u00e9\"",
                                 "\"a\tb\"",
                                 R"(")",
                                 R"("a)",
                                 "0",
                                 "-0",
                                 "7",
                                 "-7",
                                 "007",
                                 "-07",
                                 "1.5",
                                 "1e3",
                                 "+1",
                                 "-",
                                 "999999999999999999",
                                 "-999999999999999999",
                                 "9999999999999999999",
                                 "18446744073709551615",
                                 "18446744073709551616",
                                 "-9223372036854775808",
                                 "-9223372036854775809",
                                 " 1",
                                 "1 ",
                                 " \"a\"",
                                 "true",
                                 "null",
                                 "",
                                 "NaN",
                                 "-NaN"}) {
    const auto alone = JsonDocument::parse(text);
    const auto inside = JsonDocument::parse(text.empty() ? "[,]" : absl::StrCat("[", text, "]"));
    ASSERT_EQ(alone.ok(), inside.ok()) << text;
    if (!alone.ok()) continue;
    const JsonNode value = alone->root(), same = inside->root().at(0);
    EXPECT_EQ(value.kind(), same.kind()) << text;
    EXPECT_EQ(value.text(), same.text()) << text;
  }
}

TEST(JsonDocumentTest, ReadsPythonsNumbersBeyondJson) {
  const auto document = JsonDocument::parse(R"({"NaN":[NaN,-Infinity,"Infinity \" NaN"]})");

  ASSERT_TRUE(document.ok()) << document.status();
  document->root().for_each([](std::string_view key, JsonNode value) {
    EXPECT_EQ(key, "NaN");
    EXPECT_EQ(value.at(0).kind(), JsonKind::kNumber);
    EXPECT_NE(value.at(0).number(), value.at(0).number());
    EXPECT_EQ(value.at(1).number(), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(value.at(2).string(), "Infinity \" NaN");
    return true;
  });
  EXPECT_FALSE(JsonDocument::parse("[NaN").ok());
  EXPECT_FALSE(JsonDocument::parse("[NaNs]").ok());
}

TEST(JsonDocumentTest, PreviewsAreUtf8EvenWhereTheyAreCut) {
  const auto document = JsonDocument::parse(
      "\"\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\"");

  for (const char c : document->root().preview()) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

TEST(JsonDocumentTest, SaysWhereTextStopsBeingJson) {
  const auto document = JsonDocument::parse("{\"a\":");

  ASSERT_FALSE(document.ok());
  EXPECT_NE(document.status().message().find("column 6"), absl::string_view::npos)
      << document.status();
}

}  // namespace
}  // namespace chimera::core
