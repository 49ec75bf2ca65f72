#include "sdk-cpp/src/storage/reference.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "temporal/api/sdk/v1/external_storage.pb.h"

#include "core/converter/codec.h"
#include "core/converter/payload.h"

namespace chimera::sdk {
namespace {

using nlohmann::json;

absl::Status unreadable(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "[TMPRL1106] a reference to external storage cannot be read: ", std::string(why)));
}

// Fails where it is no object of texts.
absl::StatusOr<StorageClaim> to_claim(const json& data) {
  StorageClaim claim;
  if (data.is_null()) return claim;
  if (!data.is_object()) return unreadable("its claim is no JSON object");
  for (const auto& [name, value] : data.items()) {
    if (!value.is_string()) return unreadable(absl::StrCat("its claim's ", name, " is no text"));
    claim.emplace(name, value.get<std::string>());
  }
  return claim;
}

absl::StatusOr<StorageReference> parse(const ProtoPayload& payload) {
  const bool old = core::encoding_of(payload) == core::kOldReferenceEncoding;
  const json fields = json::parse(payload.data(), nullptr, /*allow_exceptions=*/false);
  if (!fields.is_object()) return unreadable("it is no JSON object");
  const json name = fields.value(old ? "driver_name" : "driverName", json());
  json data;
  if (!old) {
    data = fields.value("claimData", json());
  } else if (const json claim = fields.value("driver_claim", json()); claim.is_object()) {
    data = claim.value("claim_data", json());
  }
  if (!name.is_string()) return unreadable("it names no driver");
  auto claim = to_claim(data);
  if (!claim.ok()) return claim.status();
  return StorageReference{name.get<std::string>(), *std::move(claim)};
}

}  // namespace

ProtoPayload to_payload(const StorageReference& reference, std::size_t bytes) {
  json fields = {{"driverName", reference.driver}};
  if (!reference.claim.empty()) fields["claimData"] = reference.claim;
  ProtoPayload payload;
  core::set_encoding(payload, core::kEncodingProtoJson);
  (*payload.mutable_metadata())[std::string(core::kMessageType)] =
      api::sdk::v1::ExternalStorageReference::descriptor()->full_name();
  payload.set_data(fields.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace));
  payload.add_external_payloads()->set_size_bytes(static_cast<std::int64_t>(bytes));
  return payload;
}

absl::StatusOr<StorageReference> read_reference(const ProtoPayload& payload, const Codec& codec) {
  const auto mark = payload.metadata().find(std::string(core::kEncodedReferenceMark));
  if (mark == payload.metadata().end()) return parse(payload);
  ProtoPayload plain = payload;
  plain.mutable_metadata()->erase(std::string(core::kEncodedReferenceMark));
  plain.clear_external_payloads();
  if (codec.payloads() != nullptr) {
    if (const absl::Status status = core::decode_one(*codec.payloads(), plain); !status.ok())
      return unreadable(std::string(status.message()));
  }
  if (!core::is_reference(plain))
    return unreadable("it is encoded, and not by the payload codec of this client");
  return parse(plain);
}

}  // namespace chimera::sdk
