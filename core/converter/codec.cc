#include "core/converter/codec.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/json.h"
#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using api::common::v1::Payload;
using api::common::v1::Payloads;
using Step = absl::Status (PayloadCodec::*)(Payloads&) const;

absl::Status apply_to_one(const PayloadCodec& codec, Step step, Payload& payload) {
  Payloads list;
  list.add_payloads()->Swap(&payload);
  if (absl::Status status = (codec.*step)(list); !status.ok()) return status;
  if (list.payloads_size() != 1) {
    return absl::InternalError(absl::StrCat("the payload codec made ", list.payloads_size(),
                                            " payloads of 1 in a field that holds exactly one"));
  }
  payload.Swap(list.mutable_payloads(0));
  return absl::OkStatus();
}

// The Payloads list that a failure of this kind carries, or null.
Payloads* payloads_of(api::failure::v1::Failure& failure) {
  if (failure.application_failure_info().has_details()) {
    return failure.mutable_application_failure_info()->mutable_details();
  }
  if (failure.timeout_failure_info().has_last_heartbeat_details()) {
    return failure.mutable_timeout_failure_info()->mutable_last_heartbeat_details();
  }
  if (failure.canceled_failure_info().has_details()) {
    return failure.mutable_canceled_failure_info()->mutable_details();
  }
  if (failure.reset_workflow_failure_info().has_last_heartbeat_details()) {
    return failure.mutable_reset_workflow_failure_info()->mutable_last_heartbeat_details();
  }
  return nullptr;
}

absl::Status apply_to_failure(const PayloadCodec& codec, Step step,
                              api::failure::v1::Failure& failure) {
  for (api::failure::v1::Failure* at = &failure;;) {
    if (Payloads* payloads = payloads_of(*at)) {
      if (absl::Status status = (codec.*step)(*payloads); !status.ok()) return status;
    }
    if (at->has_encoded_attributes()) {
      absl::Status status = apply_to_one(codec, step, *at->mutable_encoded_attributes());
      if (!status.ok()) return status;
    }
    if (!at->has_cause()) return absl::OkStatus();
    at = at->mutable_cause();
  }
}

// As the official failure converters do it: a JSON object, and a message that says where to look.
void move_common_attributes(api::failure::v1::Failure& failure) {
  for (api::failure::v1::Failure* at = &failure;; at = at->mutable_cause()) {
    if (!at->has_encoded_attributes()) {
      Payload& attributes = *at->mutable_encoded_attributes();
      set_encoding(attributes, kEncodingJson);
      JsonWriter json(*attributes.mutable_data());
      json.begin_object();
      json.key("message");
      json.string(at->message());
      json.key("stack_trace");
      json.string(at->stack_trace());
      json.end_object();
      at->set_message("Encoded failure");
      at->clear_stack_trace();
    }
    if (!at->has_cause()) return;
  }
}

class CommonAttributesCodec final : public PayloadCodec {
 public:
  explicit CommonAttributesCodec(std::shared_ptr<const PayloadCodec> codec)
      : codec_(std::move(codec)) {}
  absl::Status encode(Payloads& payloads) const override {
    return codec_ == nullptr ? absl::OkStatus() : codec_->encode(payloads);
  }
  absl::Status decode(Payloads& payloads) const override {
    return codec_ == nullptr ? absl::OkStatus() : codec_->decode(payloads);
  }
  bool encodes_common_attributes() const override { return true; }
  absl::StatusOr<std::shared_ptr<const PayloadCodec>> in(
      const PayloadContext& context) const override {
    if (codec_ == nullptr) return nullptr;
    auto codec = codec_->in(context);
    if (codec.ok() && *codec != nullptr) return encoding_common_attributes(*std::move(codec));
    return codec;
  }

 private:
  std::shared_ptr<const PayloadCodec> codec_;  // Shared with whoever made it.
};

}  // namespace

std::shared_ptr<const PayloadCodec> encoding_common_attributes(
    std::shared_ptr<const PayloadCodec> codec) {
  return std::make_shared<CommonAttributesCodec>(std::move(codec));
}

CodecChain::CodecChain(std::vector<std::shared_ptr<const PayloadCodec>> codecs)
    : codecs_(std::move(codecs)) {}

absl::Status CodecChain::encode(Payloads& payloads) const {
  for (auto codec = codecs_.rbegin(); codec != codecs_.rend(); ++codec) {
    if (absl::Status status = (*codec)->encode(payloads); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CodecChain::decode(Payloads& payloads) const {
  for (const auto& codec : codecs_) {
    if (absl::Status status = codec->decode(payloads); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const PayloadCodec>> CodecChain::in(
    const PayloadContext& context) const {
  std::vector<std::shared_ptr<const PayloadCodec>> codecs = codecs_;
  bool differs = false;
  for (auto& codec : codecs) {
    auto own = codec->in(context);
    if (!own.ok()) return own.status();
    if (*own == nullptr) continue;
    codec = *std::move(own);
    differs = true;
  }
  if (!differs) return nullptr;
  return std::make_shared<CodecChain>(std::move(codecs));
}

absl::Status encode_one(const PayloadCodec& codec, Payload& payload) {
  return apply_to_one(codec, &PayloadCodec::encode, payload);
}

absl::Status decode_one(const PayloadCodec& codec, Payload& payload) {
  return apply_to_one(codec, &PayloadCodec::decode, payload);
}

absl::Status encode_failure(const PayloadCodec& codec, api::failure::v1::Failure& failure) {
  if (codec.encodes_common_attributes()) move_common_attributes(failure);
  return apply_to_failure(codec, &PayloadCodec::encode, failure);
}

absl::Status decode_failure(const PayloadCodec& codec, api::failure::v1::Failure& failure) {
  return apply_to_failure(codec, &PayloadCodec::decode, failure);
}

}  // namespace chimera::core
