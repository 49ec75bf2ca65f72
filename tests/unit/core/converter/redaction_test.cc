#include "core/converter/redaction.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using testing::HasSubstr;
using testing::Not;

const AesKeys kKeys = {{"k1", std::string(32, 'k')}};

std::shared_ptr<const RedactionCodec> codec(const std::vector<std::string>& fields,
                                            const std::string& id = "k1", AesKeys keys = kKeys) {
  return RedactionCodec::create(fields, id, std::move(keys)).value();
}
std::shared_ptr<const RedactionCodec> without_key() { return codec({"iban"}, "", {}); }

Payloads of(std::string json) {
  Payloads payloads;
  *payloads.add_payloads() = json_payload(std::move(json));
  return payloads;
}
std::string encoded(const RedactionCodec& codec, const std::string& json) {
  Payloads payloads = of(json);
  EXPECT_TRUE(codec.encode(payloads).ok());
  return payloads.payloads(0).data();
}

TEST(RedactionTest, HidesMarkedMembersAndLeavesAllElseAsItWas) {
  const auto hides = codec({"iban", "customer.address", "items.*.note"});
  const std::string json =
      R"({ "iban":"DE12500105170648166100" , "n":1.50e+3,"u":"\u00e9\/x", )"
      R"("customer":{"name":"A","address":{"a":[1,"}"]}},)"
      R"("items":[{"note":"x","price":2},{"note":null}], "note":"stays", "NaN":NaN})";
  Payloads payloads = of(json);

  ASSERT_TRUE(hides->encode(payloads).ok());

  const std::string& hidden = payloads.payloads(0).data();
  EXPECT_THAT(hidden, testing::StartsWith(R"({ "iban":"hidden:k1:)"));
  EXPECT_THAT(
      hidden,
      HasSubstr(
          R"(" , "n":1.50e+3,"u":"\u00e9\/x", "customer":{"name":"A","address":"hidden:k1:)"));
  EXPECT_THAT(hidden, HasSubstr(R"("price":2},{"note":"hidden:k1:)"));
  EXPECT_THAT(hidden, HasSubstr(R"("note":"stays", "NaN":NaN})"));
  EXPECT_THAT(hidden, Not(HasSubstr("DE12500105170648166100")));
  EXPECT_EQ(encoding_of(payloads.payloads(0)), kEncodingJson);
  ASSERT_TRUE(hides->decode(payloads).ok());
  EXPECT_EQ(payloads.payloads(0).data(), json);
  EXPECT_EQ(payloads.payloads(0).metadata_size(), 1);
}

TEST(RedactionTest, APathIsFromTheOutermostValueAndANameAtAnyDepth) {
  EXPECT_EQ(encoded(*codec({"a.b"}), R"({"x":{"a":{"b":1}},"a":[{"b":1}]})"),
            R"({"x":{"a":{"b":1}},"a":[{"b":1}]})");
  EXPECT_THAT(encoded(*codec({"a.1"}), R"({"a":[10,11,12]})"),
              testing::MatchesRegex(R"(\{"a":\[10,"hidden:[^,]*,12\]\})"));
  EXPECT_THAT(encoded(*codec({"b"}), R"([[{"a":{"b":7777777777}}]])"),
              Not(HasSubstr("7777777777")));
  EXPECT_THAT(encoded(*codec({"*"}), R"([7777777777,{"c":7777777777}])"),
              Not(HasSubstr("7777777777")));
  EXPECT_EQ(encoded(*codec({"0"}), "[7777777777]"), "[7777777777]");  // A name is a member's.
  EXPECT_THAT(encoded(*codec({"caf\xc3\xa9"}), R"({"caf\u00e9":7777777777})"),
              Not(HasSubstr("7777777777")));
}

TEST(RedactionTest, EveryMemberHasANonceOfItsOwn) {
  const std::string hidden = encoded(*codec({"a", "b"}), R"({"a":1,"b":1})");
  EXPECT_NE(hidden.substr(5, 40), hidden.substr(hidden.find("\"b\":") + 4, 40));
  EXPECT_NE(hidden, encoded(*codec({"a", "b"}), R"({"a":1,"b":1})"));
}

TEST(RedactionTest, AValueCannotBeMovedToAnotherMember) {
  const auto hides = codec({"a", "b"});
  Payloads payloads = of(R"({"a":1,"b":2})");
  ASSERT_TRUE(hides->encode(payloads).ok());
  std::string& data = *payloads.mutable_payloads(0)->mutable_data();
  const std::size_t a = data.find("\"hidden"), b = data.rfind("\"hidden");
  const std::string of_a = data.substr(a, data.find(',') - a);
  data.replace(b, data.size() - 1 - b, of_a);

  const absl::Status status = hides->decode(payloads);

  EXPECT_THAT(std::string(status.message()),
              HasSubstr("cannot read the hidden member 'b': wrong key, or it was changed"));
}

TEST(RedactionTest, WithoutTheKeyMembersStayHidden) {
  Payloads payloads = of(R"({"iban":"DE1","n":[1]})");
  ASSERT_TRUE(codec({"iban"})->encode(payloads).ok());
  const std::string hidden = payloads.payloads(0).data();
  const auto stranger = codec({"iban", "n"}, "k2", {{"k2", std::string(32, 'z')}});

  ASSERT_TRUE(without_key()->decode(payloads).ok());
  ASSERT_TRUE(without_key()->encode(payloads).ok());
  ASSERT_TRUE(stranger->decode(payloads).ok());
  EXPECT_EQ(payloads.payloads(0).data(), hidden);

  // Handed on: what is hidden already is not hidden again.
  ASSERT_TRUE(stranger->encode(payloads).ok());
  ASSERT_TRUE(stranger->decode(payloads).ok());
  ASSERT_TRUE(codec({"iban"})->decode(payloads).ok());
  EXPECT_EQ(payloads.payloads(0).data(), R"({"iban":"DE1","n":[1]})");
}

TEST(RedactionTest, OlderKeysStillRead) {
  Payloads payloads = of(R"({"iban":"DE1"})");
  ASSERT_TRUE(codec({"iban"})->encode(payloads).ok());
  const auto reader = codec({}, "", {{"k1", std::string(32, 'k')}, {"k0", std::string(32, '0')}});

  ASSERT_TRUE(reader->decode(payloads).ok());

  EXPECT_EQ(payloads.payloads(0).data(), R"({"iban":"DE1"})");
}

TEST(RedactionTest, WhatOnlyLooksHiddenComesBackAsItWas) {
  const auto hides = codec({"iban"});
  for (const std::string json :
       {R"({"x":"hidden:k1:abc"})", R"({"iban":1,"x":"hidden:k1:abc","y":"hidden"})"}) {
    Payloads payloads = of(json);
    ASSERT_TRUE(hides->encode(payloads).ok());
    ASSERT_TRUE(hides->decode(payloads).ok()) << json;
    EXPECT_EQ(payloads.payloads(0).data(), json);
  }
}

TEST(RedactionTest, DamageIsAnErrorThatNamesTheMember) {
  const auto hides = codec({"a.*.b"});
  Payloads whole = of(R"({"a":[{"b":1}]})");
  ASSERT_TRUE(hides->encode(whole).ok());
  const std::string data = whole.payloads(0).data();
  const auto told = [&](std::size_t at, std::size_t count, const std::string& instead) {
    Payloads payloads = whole;
    payloads.mutable_payloads(0)->set_data(std::string(data).replace(at, count, instead));
    return std::string(hides->decode(payloads).message());
  };

  EXPECT_THAT(told(data.size() - 8, 2, data[data.size() - 8] == 'A' ? "BB" : "AA"),
              HasSubstr("'a.0.b'"));
  EXPECT_THAT(told(data.find("k1:") + 3, 1, "*"), HasSubstr("'a.0.b': its end is not base64"));
  EXPECT_THAT(told(data.find("k1:"), 3, "AAAA"), HasSubstr("does not say by which key"));
  EXPECT_THAT(told(data.size() - 2, 2, ""), HasSubstr("not valid JSON"));
}

TEST(RedactionTest, OnlyJsonIsChanged) {
  const auto hides = codec({"a"});
  Payloads payloads;
  *payloads.add_payloads() = bytes_payload(R"({"a":1})");
  *payloads.add_payloads() = null_payload();
  *payloads.add_payloads() = json_payload("\"a\"");
  *payloads.add_payloads() = json_payload(" [ ] ");
  const std::string before = payloads.SerializeAsString();

  ASSERT_TRUE(hides->encode(payloads).ok());
  EXPECT_EQ(payloads.SerializeAsString(), before);
  ASSERT_TRUE(hides->decode(payloads).ok());
  EXPECT_EQ(payloads.SerializeAsString(), before);
}

TEST(RedactionTest, WhatIsNoJsonAlthoughItSaysSoIsRefused) {
  const auto hides = codec({"a"});
  for (const std::string json :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1]", "{a:1}", "[1 2]", "{\"a\":}", "[1,]",
        "1 2", "{\"b\":\"x", "[,1]", "{\"\\x\":1}"}) {
    Payloads payloads = of(json);
    EXPECT_THAT(std::string(hides->encode(payloads).message()), HasSubstr("not valid JSON"))
        << json;
  }
}

TEST(RedactionTest, DeepValuesTakeNoStackAndNoTime) {
  const auto hides = codec({"a"});
  const std::size_t depth = 500'000;
  const std::string json = std::string(depth, '[') + "{\"a\":1}" + std::string(depth, ']');
  Payloads payloads = of(json);

  ASSERT_TRUE(hides->encode(payloads).ok());
  ASSERT_TRUE(hides->decode(payloads).ok());

  EXPECT_EQ(payloads.payloads(0).data(), json);
}

TEST(RedactionTest, RefusesFieldsAndKeysThatMeanNothing) {
  const auto why = [](const std::vector<std::string>& fields, const std::string& id, AesKeys keys) {
    return std::string(RedactionCodec::create(fields, id, std::move(keys)).status().message());
  };
  EXPECT_THAT(why({"a", ""}, "k1", kKeys), HasSubstr("is empty"));
  for (const std::string field : {".a", "a.", "a..b", "."})
    EXPECT_THAT(why({field}, "k1", kKeys), HasSubstr("'" + field + "' has an empty part"));
  EXPECT_THAT(why({"a"}, "k2", kKeys), HasSubstr("no encryption key has the id 'k2'"));
  EXPECT_THAT(why({"a"}, "", kKeys), HasSubstr("no encryption key has the id ''"));
  EXPECT_THAT(why({"a"}, "k1", {}), HasSubstr("no encryption key has the id 'k1'"));
  EXPECT_THAT(why({"a"}, "k", {{"k", "short"}}), HasSubstr("AES-256 needs 32"));
  EXPECT_THAT(why({"a"}, "a\"b", {{"a\"b", std::string(32, 'k')}}), HasSubstr("printable ASCII"));
}

}  // namespace
}  // namespace chimera::core
