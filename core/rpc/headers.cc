#include "core/rpc/headers.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace chimera::core {
namespace {

bool printable(absl::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

absl::Status check_name(absl::string_view name) {
  auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), legal)) {
    return absl::InvalidArgumentError(
        absl::StrCat("RPC metadata name \"", absl::CHexEscape(name),
                     "\" cannot be sent: use lower-case letters, digits, '-', '_' and '.'"));
  }
  if (absl::StartsWith(name, "grpc-")) {
    return absl::InvalidArgumentError(
        absl::StrCat("RPC metadata name \"", name, "\" cannot be set: \"grpc-\" is gRPC's own"));
  }
  return absl::OkStatus();
}

bool contains(const base::RpcMetadata& metadata, absl::string_view name) {
  return std::any_of(metadata.begin(), metadata.end(),
                     [&](const auto& entry) { return entry.first == name; });
}

}  // namespace

absl::Status check_metadata(const base::RpcMetadata& metadata) {
  for (const auto& [name, value] : metadata) {
    if (absl::Status status = check_name(name); !status.ok()) return status;
    if (!absl::EndsWith(name, "-bin") && !printable(value)) {
      // The value may be a secret and is not shown.
      return absl::InvalidArgumentError(absl::StrCat(
          "the value of RPC metadata \"", name,
          "\" has bytes that are not printable ASCII: name it \"", name, "-bin\" to send bytes"));
    }
  }
  return absl::OkStatus();
}

Headers::Headers(std::string client_name, std::string client_version, std::string api_key,
                 base::RpcMetadata user)
    : client_name_(std::move(client_name)),
      client_version_(std::move(client_version)),
      api_key_(std::move(api_key)),
      user_(std::move(user)) {
  absl::MutexLock lock(&mutex_);
  publish();
}

void Headers::set_api_key(std::string key) {
  absl::MutexLock lock(&mutex_);
  api_key_ = std::move(key);
  publish();
}

void Headers::set_user(base::RpcMetadata user) {
  absl::MutexLock lock(&mutex_);
  user_ = std::move(user);
  publish();
}

void Headers::set_client(std::string name, std::string version) {
  absl::MutexLock lock(&mutex_);
  client_name_ = std::move(name);
  client_version_ = std::move(version);
  publish();
}

void Headers::publish() {
  auto snapshot = std::make_shared<Snapshot>();
  base::RpcMetadata& metadata = snapshot->metadata;
  metadata = user_;
  // What the user sets wins over what we would send, each name of which is added once.
  auto add = [&metadata](absl::string_view name, std::string value) {
    if (!value.empty() && !contains(metadata, name)) metadata.emplace_back(name, std::move(value));
  };
  add("client-name", client_name_);
  add("client-version", client_version_);
  if (!api_key_.empty()) add("authorization", absl::StrCat("Bearer ", api_key_));
  snapshot->status = check_metadata(metadata);
  current_.store(std::move(snapshot));
}

absl::StatusOr<base::RpcMetadata> Headers::for_call(const std::string& namespace_,
                                                    base::RpcMetadata extra) const {
  std::shared_ptr<const Snapshot> snapshot = current_.load();
  if (!snapshot->status.ok()) return snapshot->status;
  if (!extra.empty()) {
    if (absl::Status status = check_metadata(extra); !status.ok()) return status;
  }
  base::RpcMetadata result = std::move(extra);  // Of one call: wins over those of all calls.
  const std::size_t own = result.size();
  auto overridden = [&](const std::string& name) {
    auto end = result.begin() + static_cast<std::ptrdiff_t>(own);
    return std::any_of(result.begin(), end, [&](const auto& e) { return e.first == name; });
  };
  result.reserve(own + snapshot->metadata.size() + 1);
  for (const auto& entry : snapshot->metadata) {
    if (own == 0 || !overridden(entry.first)) result.push_back(entry);
  }
  if (!namespace_.empty() && printable(namespace_) && !contains(result, "temporal-namespace")) {
    result.emplace_back("temporal-namespace", namespace_);
  }
  return result;
}

}  // namespace chimera::core
