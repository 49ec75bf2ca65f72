#include "chimera/converter.h"

#include <cmath>
#include <concepts>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Somebody else's: neither functions nor members can be added to them.
namespace elsewhere {

struct Shape {
  virtual ~Shape() = default;
  virtual std::string text() const = 0;
  virtual void read(const std::string& text) = 0;
};
struct Circle final : Shape {
  int radius = 0;
  std::string text() const override { return "circle " + std::to_string(radius); }
  void read(const std::string& text) override { radius = std::stoi(text.substr(7)); }
};
struct Dot final : Shape {
  std::string text() const override { return "dot"; }
  void read(const std::string&) override {}
};
// The table would make an object of it.
struct Point {
  int x = 0, y = 0;
};

}  // namespace elsewhere

template <>
struct chimera::Converter<elsewhere::Point> {
  static Payload to_payload(const elsewhere::Point& point) {
    return make_payload(std::pair(point.x, point.y));
  }
  static void from_payload(const Payload& payload, elsewhere::Point& point) {
    std::tie(point.x, point.y) = chimera::from_payload<std::pair<int, int>>(payload);
  }
};
// A family.
template <std::derived_from<elsewhere::Shape> T>
struct chimera::Converter<T> {
  static Payload to_payload(const T& shape) { return make_payload(shape.text()); }
  static void from_payload(const Payload& payload, T& shape) {
    const auto text = chimera::from_payload<std::string>(payload);
    if (text.substr(0, 3) != shape.text().substr(0, 3))
      throw ConversionError("another shape: " + text);
    shape.read(text);
  }
};

namespace chimera {
namespace {

enum class Color { kRed, kGreen };

struct Item {
  std::string name;
  std::int32_t quantity = 1;
};

struct Everything {
  std::vector<Item> items;
  std::optional<std::string> note;
  std::variant<std::int64_t, std::string> code;
  std::map<std::string, double> prices;
  std::unordered_map<int, bool> flags;
  Color color = Color::kRed;
  std::chrono::milliseconds wait{};
  std::chrono::system_clock::time_point at;
  std::array<int, 2> pair{};
  std::tuple<int, std::string> tuple;
  std::unique_ptr<Item> item;
  std::vector<std::byte> blob;
};

struct Wide {  // As many members as a struct may have.
  int a01, a02, a03, a04, a05, a06, a07, a08, a09, a10, a11, a12, a13, a14, a15, a16;
  int b01, b02, b03, b04, b05, b06, b07, b08, b09, b10, b11, b12, b13, b14, b15, b16;
  int c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, c12, c13, c14, c15, c16;
  int d01, d02, d03, d04, d05, d06, d07, d08, d09, d10, d11, d12, d13, d14, d15, d16;
};

// A class with a conversion of its own.
class Money {
 public:
  Money() = default;
  explicit Money(int cents) : cents_(cents) {}
  int cents() const { return cents_; }
  auto operator<=>(const Money&) const = default;

 private:
  int cents_ = 0;
};
Payload to_payload(const Money& money) {
  return make_payload("EUR " + std::to_string(money.cents()));
}
void from_payload(const Payload& payload, Money& money) {
  const auto text = chimera::from_payload<std::string>(payload);
  if (!text.starts_with("EUR ")) throw ConversionError("no amount in EUR: " + text);
  money = Money(std::stoi(text.substr(4)));
}

// An aggregate, which would do without.
struct Pair {
  int left = 0, right = 0;
};
Payload to_payload(const Pair& pair) {
  return make_payload(std::vector<int>{pair.left, pair.right});
}
void from_payload(const Payload& payload, Pair& pair) {
  const auto both = chimera::from_payload<std::vector<int>>(payload);
  pair = {both.at(0), both.at(1)};
}

struct Opaque {};
Payload to_payload(const Opaque&) {
  return {.metadata = {{"encoding", "binary/plain"}}, .data = "x"};
}
[[maybe_unused]] void from_payload(const Payload&, Opaque&) {}

struct Bill {
  Money total;
  std::vector<Money> lines;
  std::optional<Money> discount;
  std::map<std::string, Money> taxes;
};
struct Year {
  std::vector<Bill> bills;
  Pair range;
};

template <class T>
std::string json_of(const T& value) {
  return make_payload(value).data;
}

Payload json(std::string text) {
  return {.metadata = {{"encoding", "json/plain"}}, .data = std::move(text)};
}

template <class T>
std::string error_of(const std::string& text) {
  try {
    from_payload<T>(json(text));
  } catch (const ConversionError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ConverterTest, WritesAStructWithSortedKeys) {
  EXPECT_EQ(json_of(Item{.name = "bolt", .quantity = 3}), R"({"name":"bolt","quantity":3})");
  EXPECT_EQ(json_of(std::vector<Item>{}), "[]");
}

TEST(ConverterTest, RoundTripsEveryKindOfMember) {
  Everything value;
  value.items = {{"bolt", 3}};
  value.code = "x";
  value.prices = {{"b", 2}, {"a", 0.5}};
  value.flags = {{7, true}};
  value.color = Color::kGreen;
  value.wait = std::chrono::milliseconds(1500);
  value.at = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'767'225'600'250));
  value.pair = {1, 2};
  value.tuple = {5, "five"};
  value.item = std::make_unique<Item>(Item{"nut", 1});
  value.blob = {std::byte{1}, std::byte{255}};

  const std::string text = json_of(value);

  EXPECT_EQ(
      text,
      R"({"at":"2026-01-01T00:00:00.250000+00:00","blob":[1,255],"code":"x","color":"kGreen",)"
      R"("flags":{"7":true},"item":{"name":"nut","quantity":1},"items":[)"
      R"({"name":"bolt","quantity":3}],)"
      R"("note":null,"pair":[1,2],"prices":{"a":0.5,"b":2.0},"tuple":[5,"five"],"wait":1.5})");
  EXPECT_EQ(json_of(from_payload<Everything>(make_payload(value))), text);
}

// A double of seconds is seldom a whole number of milliseconds.
TEST(ConverterTest, DurationsComeBackAsTheyWent) {
  for (int ms = 0; ms < 20'000; ++ms) {
    const std::chrono::milliseconds sent(ms);
    ASSERT_EQ(from_payload<std::chrono::milliseconds>(make_payload(sent)), sent);
  }
  EXPECT_THROW(from_payload<std::chrono::nanoseconds>(make_payload(1e12)), ConversionError);
}

TEST(ConverterTest, NumbersThatAreNoneComeBack) {
  EXPECT_TRUE(std::isnan(from_payload<double>(make_payload(std::nan("")))));
  const std::vector<double> ends = {-INFINITY, 1.5, INFINITY};
  EXPECT_EQ(from_payload<std::vector<double>>(make_payload(ends)), ends);
  const std::map<std::string, std::string> texts = {{"NaN", "a \"NaN\" and -Infinity"}};
  EXPECT_EQ((from_payload<std::map<std::string, std::string>>(make_payload(texts))), texts);
}

// A value that would arrive as another one is refused.
TEST(ConverterTest, NumbersAndTimesThatDoNotFitAreRefused) {
  EXPECT_THAT(error_of<float>("1e39"),
              testing::HasSubstr("a number that the floating point type can hold"));
  EXPECT_EQ(from_payload<float>(json("1e38")), 1e38f);
  EXPECT_EQ(from_payload<long double>(json("1e39")), static_cast<long double>(1e39));
  EXPECT_TRUE(std::isinf(from_payload<float>(make_payload(INFINITY))));
  using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
  for (const char* text : {R"("9999-12-31T23:59:59Z")", R"("0001-01-01T00:00:00Z")"})
    EXPECT_THAT(error_of<Time>(text), testing::HasSubstr("a time between the years 1678 and 2262"));
}

TEST(ConverterTest, TakesSixtyFourMembers) {
  Wide wide{};
  wide.d16 = 64;

  EXPECT_EQ(from_payload<Wide>(make_payload(wide)).d16, 64);
  EXPECT_EQ(reflect::kMemberNames<Wide>[63], "d16");
}

TEST(ConverterTest, NamesThePathOfAWrongType) {
  EXPECT_EQ(error_of<Everything>(R"({"items":[{},{"quantity":"three"}]})"),
            R"(items[1].quantity: expected integer, got "three")");
  EXPECT_EQ(error_of<Everything>(R"({"color":"kBlue"})"),
            R"(color: expected one of kRed, kGreen, got "kBlue")");
  EXPECT_EQ(error_of<std::int8_t>("300"), "expected at most 127, got 300");
  EXPECT_THAT(error_of<Item>("{"), testing::HasSubstr("not valid JSON"));
}

TEST(ConverterTest, TextThatIsNotUtf8IsRefusedAndNotChanged) {
  const auto said = [](const auto& value) -> std::string {
    try {
      return make_payload(value).data;
    } catch (const ConversionError& error) {
      return error.what();
    }
  };
  const std::string bad = "caf\xe9";
  EXPECT_EQ(said(bad),
            "cannot write a text that is not UTF-8; bytes travel as std::vector<std::byte>");
  EXPECT_THAT(said(std::map<std::string, std::vector<std::string>>{{"names", {"a", bad}}}),
              testing::StartsWith("names[1]: cannot write a text"));
  EXPECT_THAT(said(std::map<std::string, int>{{bad, 1}}),
              testing::HasSubstr("cannot write a member's name"));
  EXPECT_EQ(said(std::string("caf\xc3\xa9")), R"("caf\u00e9")");
}

TEST(ConverterTest, IgnoresUnknownKeysAndKeepsDefaultsOfMissingOnes) {
  EXPECT_EQ(from_payload<Item>(json(R"({"name":"bolt","weight":3})")).quantity, 1);
}

TEST(ConverterTest, LabelsNullAndBytes) {
  const std::vector<std::byte> bytes(3);

  EXPECT_EQ(make_payload(std::optional<int>()).metadata.at("encoding"), "binary/null");
  EXPECT_EQ(make_payload(bytes).metadata.at("encoding"), "binary/plain");
  EXPECT_EQ(from_payload<std::vector<std::byte>>(make_payload(bytes)).size(), 3u);
}

// --- Conversions of a type's own, at any depth ---

template <class T>
void expect_both_ways(const T& value, const std::string& text) {
  EXPECT_EQ(json_of(value), text);
  EXPECT_EQ(json_of(from_payload<T>(json(text))), text);
}

TEST(ConverterTest, OwnConversionsHoldInEachContainer) {
  const std::string one = R"("EUR 1")", two = R"("EUR 2")", both = "[" + one + "," + two + "]";
  expect_both_ways(Money(1), one);
  expect_both_ways(std::vector<Money>{Money(1), Money(2)}, both);
  expect_both_ways(std::list<Money>{Money(1), Money(2)}, both);
  expect_both_ways(std::deque<Money>{Money(1), Money(2)}, both);
  expect_both_ways(std::set<Money>{Money(1), Money(2)}, both);
  expect_both_ways(std::array<Money, 2>{Money(1), Money(2)}, both);
  expect_both_ways(std::pair(Money(1), Money(2)), both);
  expect_both_ways(std::tuple(Money(1), Money(2)), both);
  expect_both_ways(std::map<std::string, Money>{{"a", Money(1)}}, R"({"a":"EUR 1"})");
  expect_both_ways(std::unordered_map<int, Money>{{7, Money(1)}}, R"({"7":"EUR 1"})");
  expect_both_ways(std::optional(Money(1)), one);
  expect_both_ways(std::vector<std::optional<Money>>{Money(1), std::nullopt}, "[" + one + ",null]");
  EXPECT_EQ(json_of(std::vector<std::shared_ptr<Money>>{std::make_shared<Money>(1)}),
            "[" + one + "]");
  using Either = std::variant<std::int64_t, Money, bool>;
  expect_both_ways(std::vector<Either>{Money(1), std::int64_t{5}, true}, "[" + one + ",5,true]");
}

TEST(ConverterTest, OwnConversionsHoldInStructsWithinStructs) {
  const Year year{.bills = {{.total = Money(3),
                             .lines = {Money(1), Money(2)},
                             .discount = Money(4),
                             .taxes = {{"vat", Money(5)}}}},
                  .range = {.left = 1, .right = 12}};
  expect_both_ways(year, R"({"bills":[{"discount":"EUR 4","lines":["EUR 1","EUR 2"],)"
                         R"("taxes":{"vat":"EUR 5"},"total":"EUR 3"}],"range":[1,12]})");
}

// --- Conversions of types that are somebody else's ---

struct Drawing {
  elsewhere::Circle circle;
  std::vector<elsewhere::Point> points;
  std::map<std::string, elsewhere::Dot> named;
  std::optional<elsewhere::Point> origin;
};

TEST(ConverterTest, AConverterHoldsForAForeignTypeAtAnyDepth) {
  const elsewhere::Point point{1, 2};
  expect_both_ways(point, "[1,2]");
  expect_both_ways(std::vector{point}, "[[1,2]]");
  expect_both_ways(std::map<std::string, elsewhere::Point>{{"a", point}}, R"({"a":[1,2]})");
  Drawing drawing{.points = {point}, .named = {{"a", {}}}, .origin = point};
  drawing.circle.radius = 7;
  expect_both_ways(drawing, R"({"circle":"circle 7","named":{"a":"dot"},"origin":[1,2],)"
                            R"("points":[[1,2]]})");
}

TEST(ConverterTest, AConverterWithAConstraintHoldsForAFamily) {
  EXPECT_EQ(from_payload<elsewhere::Circle>(json("\"circle 3\"")).radius, 3);
  EXPECT_EQ(json_of(elsewhere::Dot()), "\"dot\"");
  EXPECT_EQ(error_of<Drawing>(R"({"named":{"a":"circle 7"}})"), "named.a: another shape: circle 7");
  EXPECT_EQ(error_of<Drawing>(R"({"points":[[1,2],[1]]})"),
            "points[1]: expected an array of 2 elements, got [1]");
}

TEST(ConverterTest, AnErrorOfAnOwnConversionNamesTheWay) {
  EXPECT_EQ(error_of<Year>(R"({"bills":[{"lines":["EUR 1","USD 2"]}]})"),
            "bills[0].lines[1]: no amount in EUR: USD 2");
  EXPECT_EQ(error_of<Year>(R"({"range":[1,"x"]})"), R"(range: [1]: expected integer, got "x")");
}

TEST(ConverterTest, WhatIsNoJsonCannotStandInsideJson) {
  EXPECT_EQ(make_payload(Opaque()).data, "x");  // Alone it may.
  try {
    make_payload(std::map<std::string, std::vector<Opaque>>{{"a", {Opaque()}}});
    ADD_FAILURE() << "written";
  } catch (const ConversionError& error) {
    EXPECT_STREQ(error.what(),
                 "a[0]: a payload of 'binary/plain' cannot stand inside JSON; to_payload() must "
                 "give json/plain or binary/null there");
  }
}

}  // namespace
}  // namespace chimera
