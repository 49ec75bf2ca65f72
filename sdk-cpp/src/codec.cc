#include "sdk-cpp/src/codec.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/aes_gcm_codec.h"
#include "core/converter/redaction.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera {
namespace {

using CorePtr = std::shared_ptr<const core::PayloadCodec>;

core::PayloadContext to_core(const SerializationContext& context) {
  core::PayloadContext out{.namespace_ = context.namespace_,
                           .workflow_id = context.workflow_id,
                           .workflow_type = context.workflow_type};
  if (const auto& activity = context.activity) {
    out.activity = {activity->activity_id, activity->activity_type, activity->task_queue,
                    activity->is_local};
  }
  if (const auto& nexus = context.nexus)
    out.nexus = {nexus->endpoint, nexus->service, nexus->operation};
  return out;
}

// One of the core's codecs for users.
class BuiltIn final : public PayloadCodec {
 public:
  explicit BuiltIn(CorePtr codec) : codec_(std::move(codec)) {}
  const CorePtr& codec() const { return codec_; }
  std::vector<Payload> encode(std::vector<Payload> payloads) const override {
    return apply(&core::PayloadCodec::encode, payloads);
  }
  std::vector<Payload> decode(std::vector<Payload> payloads) const override {
    return apply(&core::PayloadCodec::decode, payloads);
  }
  std::shared_ptr<const PayloadCodec> with_context(
      const SerializationContext& context) const override {
    auto own = codec_->in(to_core(context));
    if (!own.ok()) throw ConversionError(std::string(own.status().message()));
    return *own == nullptr ? nullptr : std::make_shared<const BuiltIn>(*std::move(own));
  }

 private:
  std::vector<Payload> apply(absl::Status (core::PayloadCodec::*step)(sdk::ProtoPayloads&) const,
                             const std::vector<Payload>& payloads) const {
    sdk::ProtoPayloads proto = sdk::to_proto(payloads);
    const absl::Status status = ((*codec_).*step)(proto);
    if (!status.ok()) throw ConversionError(std::string(status.message()));
    return sdk::to_public(proto);
  }
  CorePtr codec_;  // Shared with the clients that have it.
};

// A user's codec for the core.
class Adapted final : public core::PayloadCodec {
 public:
  explicit Adapted(std::shared_ptr<const chimera::PayloadCodec> codec) : codec_(std::move(codec)) {}
  absl::Status encode(sdk::ProtoPayloads& payloads) const override {
    return apply(&chimera::PayloadCodec::encode, payloads, "encode");
  }
  absl::Status decode(sdk::ProtoPayloads& payloads) const override {
    return apply(&chimera::PayloadCodec::decode, payloads, "decode");
  }
  absl::StatusOr<CorePtr> in(const core::PayloadContext& context) const override {
    try {
      return sdk::to_core(codec_->with_context(sdk::to_public(context)));
    } catch (...) {
      return absl::InvalidArgumentError(
          absl::StrCat("the payload codec's with_context() failed: ", sdk::describe_current()));
    }
  }

 private:
  using Step = std::vector<Payload> (chimera::PayloadCodec::*)(std::vector<Payload>) const;
  absl::Status apply(Step step, sdk::ProtoPayloads& payloads, const char* name) const {
    try {
      payloads = sdk::to_proto(((*codec_).*step)(sdk::to_public(payloads)));
      return absl::OkStatus();
    } catch (...) {
      return absl::InvalidArgumentError(
          absl::StrCat("the payload codec could not ", name, ": ", sdk::describe_current()));
    }
  }
  std::shared_ptr<const chimera::PayloadCodec> codec_;  // Shared with the user.
};

}  // namespace

std::shared_ptr<const PayloadCodec> aes_gcm_codec(const std::string& key_id,
                                                  const std::map<std::string, std::string>& keys) {
  auto codec = core::AesGcmCodec::create(key_id, keys);
  if (!codec.ok()) throw std::invalid_argument(std::string(codec.status().message()));
  return std::make_shared<BuiltIn>(*std::move(codec));
}

std::shared_ptr<const PayloadCodec> redaction_codec(const RedactionOptions& options) {
  auto codec = core::RedactionCodec::create(options.fields, options.key_id, options.keys);
  if (!codec.ok())
    throw std::invalid_argument(absl::StrCat("redaction_codec: ", codec.status().message()));
  return std::make_shared<BuiltIn>(*std::move(codec));
}

std::shared_ptr<const PayloadCodec> codec_chain(
    std::vector<std::shared_ptr<const PayloadCodec>> codecs) {
  std::vector<CorePtr> all;
  for (const auto& codec : codecs) {
    if (codec == nullptr)
      throw std::invalid_argument(absl::StrCat("codec_chain: codec ", all.size() + 1, " of ",
                                               codecs.size(), " is null; leave it out"));
    all.push_back(sdk::to_core(codec));
  }
  return std::make_shared<BuiltIn>(std::make_shared<core::CodecChain>(std::move(all)));
}

namespace sdk {

CorePtr to_core(const std::shared_ptr<const PayloadCodec>& codec) {
  if (codec == nullptr) return nullptr;
  if (const auto* built_in = dynamic_cast<const BuiltIn*>(codec.get())) return built_in->codec();
  return std::make_shared<Adapted>(codec);
}

SerializationContext to_public(const core::PayloadContext& context) {
  SerializationContext out{.namespace_ = std::string(context.namespace_),
                           .workflow_id = std::string(context.workflow_id),
                           .workflow_type = std::string(context.workflow_type)};
  if (const auto& activity = context.activity) {
    out.activity = ActivitySerializationContext{.activity_id = std::string(activity->id),
                                                .activity_type = std::string(activity->type),
                                                .task_queue = std::string(activity->task_queue),
                                                .is_local = activity->is_local};
  }
  if (const auto& nexus = context.nexus) {
    out.nexus = NexusSerializationContext{.endpoint = std::string(nexus->endpoint),
                                          .service = std::string(nexus->service),
                                          .operation = std::string(nexus->operation)};
  }
  return out;
}

}  // namespace sdk
}  // namespace chimera
