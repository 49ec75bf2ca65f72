#include "core/converter/codec.h"

#include "gtest/gtest.h"

#include "core/converter/aes_gcm_codec.h"
#include "core/converter/payload.h"

namespace chimera::core {
namespace {

std::shared_ptr<const AesGcmCodec> aes(const std::string& id, char fill = 'k') {
  return AesGcmCodec::create(id, {{id, std::string(32, fill)}}).value();
}

// Appends its mark on encode and takes it off on decode, so that the order shows.
class MarkCodec final : public PayloadCodec {
 public:
  explicit MarkCodec(char mark) : mark_(mark) {}
  absl::Status encode(Payloads& payloads) const override {
    payloads.mutable_payloads(0)->mutable_data()->push_back(mark_);
    return absl::OkStatus();
  }
  absl::Status decode(Payloads& payloads) const override {
    std::string& data = *payloads.mutable_payloads(0)->mutable_data();
    if (data.empty() || data.back() != mark_) return absl::InvalidArgumentError("wrong order");
    data.pop_back();
    return absl::OkStatus();
  }

 private:
  char mark_;
};

TEST(AesGcmCodecTest, RoundTripsInTheConventionOfTheSamples) {
  Payloads payloads;
  *payloads.add_payloads() = json_payload("\"secret\"");
  const auto codec = aes("main");

  ASSERT_TRUE(codec->encode(payloads).ok());

  EXPECT_EQ(encoding_of(payloads.payloads(0)), "binary/encrypted");
  EXPECT_EQ(payloads.payloads(0).metadata().at("encryption-key-id"), "main");
  EXPECT_EQ(payloads.payloads(0).data().find("secret"), std::string::npos);
  ASSERT_TRUE(codec->decode(payloads).ok());
  EXPECT_EQ(payloads.payloads(0).data(), "\"secret\"");
}

TEST(AesGcmCodecTest, NamesTheKeyItDoesNotHave) {
  Payloads payloads;
  *payloads.add_payloads() = json_payload("1");
  ASSERT_TRUE(aes("theirs")->encode(payloads).ok());

  const absl::Status status = aes("ours")->decode(payloads);

  EXPECT_NE(status.message().find("'theirs'"), absl::string_view::npos) << status;
}

TEST(AesGcmCodecTest, RefusesChangedData) {
  Payloads payloads;
  *payloads.add_payloads() = json_payload("1");
  const auto codec = aes("main");
  ASSERT_TRUE(codec->encode(payloads).ok());
  payloads.mutable_payloads(0)->mutable_data()->back() ^= 1;

  EXPECT_FALSE(codec->decode(payloads).ok());
}

TEST(AesGcmCodecTest, RefusesAKeyOfTheWrongLength) {
  const auto codec = AesGcmCodec::create("main", {{"main", "short"}});

  EXPECT_NE(codec.status().message().find("32"), absl::string_view::npos) << codec.status();
}

TEST(CodecChainTest, EncodesLastToFirstAndDecodesFirstToLast) {
  const CodecChain chain({std::make_shared<MarkCodec>('1'), std::make_shared<MarkCodec>('2')});
  Payloads payloads;
  payloads.add_payloads();

  ASSERT_TRUE(chain.encode(payloads).ok());
  EXPECT_EQ(payloads.payloads(0).data(), "21");
  EXPECT_TRUE(chain.decode(payloads).ok());
}

// Has another one for each workflow, which appends its id.
class ByWorkflow final : public PayloadCodec {
 public:
  explicit ByWorkflow(std::string id = {}) : id_(std::move(id)) {}
  absl::Status encode(Payloads& payloads) const override {
    payloads.mutable_payloads(0)->mutable_data()->append(id_);
    return absl::OkStatus();
  }
  absl::Status decode(Payloads&) const override { return absl::OkStatus(); }
  absl::StatusOr<std::shared_ptr<const PayloadCodec>> in(
      const PayloadContext& context) const override {
    if (context.workflow_id.empty()) return absl::InvalidArgumentError("whose?");
    return std::make_shared<ByWorkflow>(std::string(context.workflow_id));
  }

 private:
  std::string id_;
};

TEST(CodecChainTest, HandsTheContextToEachThatWantsIt) {
  const auto chain = encoding_common_attributes(
      std::make_shared<CodecChain>(std::vector<std::shared_ptr<const PayloadCodec>>{
          std::make_shared<ByWorkflow>(), std::make_shared<MarkCodec>('1')}));
  Payloads payloads;
  payloads.add_payloads();

  const auto own = chain->in({.namespace_ = "n", .workflow_id = "w"});
  ASSERT_TRUE(own.ok());
  ASSERT_NE(*own, nullptr);
  EXPECT_TRUE((*own)->encodes_common_attributes());
  ASSERT_TRUE((*own)->encode(payloads).ok());
  EXPECT_EQ(payloads.payloads(0).data(), "1w");
  EXPECT_EQ(chain->in({}).status().message(), "whose?");
  EXPECT_EQ(CodecChain({std::make_shared<MarkCodec>('1')}).in({}).value(), nullptr);
}

TEST(CodecTest, ReachesTheDetailsOfEveryCause) {
  api::failure::v1::Failure failure;
  *failure.mutable_cause()->mutable_application_failure_info()->mutable_details()->add_payloads() =
      json_payload("7");

  ASSERT_TRUE(encode_failure(*aes("main"), failure).ok());

  const auto& details = failure.cause().application_failure_info().details();
  EXPECT_EQ(encoding_of(details.payloads(0)), "binary/encrypted");
}

TEST(CodecTest, HidesMessagesAndStackTracesOfEveryCauseWhenAsked) {
  api::failure::v1::Failure failure;
  failure.set_message("outer");
  failure.set_stack_trace("here");
  failure.mutable_cause()->set_message("inner \"quoted\"");
  const auto codec = encoding_common_attributes(aes("main"));

  ASSERT_TRUE(encode_failure(*codec, failure).ok());

  EXPECT_EQ(failure.message(), "Encoded failure");
  EXPECT_EQ(failure.stack_trace(), "");
  EXPECT_EQ(failure.cause().message(), "Encoded failure");
  EXPECT_EQ(encoding_of(failure.encoded_attributes()), "binary/encrypted");
  ASSERT_TRUE(decode_failure(*codec, failure).ok());
  EXPECT_EQ(failure.encoded_attributes().data(), R"({"message":"outer","stack_trace":"here"})");
  EXPECT_EQ(failure.cause().encoded_attributes().data(),
            R"({"message":"inner \"quoted\"","stack_trace":""})");
}

}  // namespace
}  // namespace chimera::core
