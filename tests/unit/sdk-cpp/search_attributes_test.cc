#include "chimera/search_attributes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sdk-cpp/src/payload_access.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

const auto kCustomer = SearchAttributeKey<std::string>::keyword("Customer");
const auto kNote = SearchAttributeKey<std::string>::text("Note");
const SearchAttributeKey<std::int64_t> kCents("Cents");
const SearchAttributeKey<double> kWeight("Weight");
const SearchAttributeKey<bool> kUrgent("Urgent");
const SearchAttributeKey<Time> kDue("Due");
const SearchAttributeKey<Strings> kTags("Tags");

TEST(SearchAttributesTest, ValuesGoAsTheirTypesAndComeBack) {
  const SearchAttributes sent{kCustomer.value("ann"),     kNote.value("in a hurry"),
                              kCents.value(500),          kWeight.value(2.5),
                              kUrgent.value(true),        kDue.value(Time(5s)),
                              kTags.value({"red", "big"})};

  const auto wire = sdk::to_proto(sent);
  const auto type = [&](const std::string& name) {
    return wire.indexed_fields().at(name).metadata().at("type");
  };
  EXPECT_EQ(type("Customer"), "Keyword");
  EXPECT_EQ(type("Note"), "Text");
  EXPECT_EQ(type("Cents"), "Int");
  EXPECT_EQ(type("Tags"), "KeywordList");

  for (const auto& has : {sdk::to_public(wire)}) {
    EXPECT_EQ(kCustomer.get(has), "ann");
    EXPECT_EQ(kNote.get(has), "in a hurry");
    EXPECT_EQ(kCents.get(has), 500);
    EXPECT_EQ(kWeight.get(has), 2.5);
    EXPECT_EQ(kUrgent.get(has), true);
    EXPECT_EQ(kDue.get(has), Time(5s));
    EXPECT_EQ(kTags.get(has), (Strings{"red", "big"}));
  }
  EXPECT_EQ(kNote.get(sent), "in a hurry");
  EXPECT_EQ(kTags.get(sent), (Strings{"red", "big"}));
}

TEST(SearchAttributesTest, WhatIsNotThereIsNothing) {
  const SearchAttributes sent{kCents.unset()};
  EXPECT_EQ(kCents.get(sent), std::nullopt);
  EXPECT_EQ(kCustomer.get(sent), std::nullopt);
  const auto has = sdk::to_public(sdk::to_proto(sent));
  EXPECT_EQ(kCents.get(has), std::nullopt);
  EXPECT_EQ(kCustomer.get(has), std::nullopt);
}

TEST(SearchAttributesTest, AnotherTypeIsAnError) {
  const SearchAttributes sent{{"Cents", std::string("many")}};
  EXPECT_THROW(kCents.get(sent), std::bad_variant_access);
  EXPECT_THROW(kCents.get(sdk::to_public(sdk::to_proto(sent))), ConversionError);
}

TEST(SearchAttributesTest, ValuesWithoutATypeAreReadByTheirJson) {
  const auto read = [](const std::string& json) {
    sdk::ProtoPayload payload;
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(json);
    return sdk::to_value(payload);
  };
  EXPECT_EQ(read("\"Running\""), SearchAttributeValue("Running"));
  EXPECT_EQ(read("7"), SearchAttributeValue(std::int64_t{7}));
  EXPECT_EQ(read("7.5"), SearchAttributeValue(7.5));
  EXPECT_EQ(read("true"), SearchAttributeValue(true));
  EXPECT_EQ(read("[\"a\"]"), SearchAttributeValue(Strings{"a"}));
  EXPECT_EQ(read("null"), SearchAttributeValue());
}

}  // namespace
}  // namespace chimera
