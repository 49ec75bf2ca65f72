#include "core/machines/dialect.h"

#include <algorithm>
#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "core/machines/foreign_marker.h"
#include "core/machines/record_marker.h"
#include "openssl/evp.h"

namespace chimera::core {
namespace {

constexpr std::uint64_t kLookedFor = 10000;  // Ids beyond the last that was found.

// java.util.UUID.nameUUIDFromBytes.
std::string name_uuid(const std::string& name) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int bytes = 0;
  if (EVP_Digest(name.data(), name.size(), hash.data(), &bytes, EVP_md5(), nullptr) != 1) return "";
  hash[6] = static_cast<unsigned char>((hash[6] & 0x0F) | 0x30);  // Version 3
  hash[8] = static_cast<unsigned char>((hash[8] & 0x3F) | 0x80);  // Variant 1
  std::string id;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    absl::StrAppendFormat(&id, "%02x", hash[i]);
  }
  return id;
}

}  // namespace

std::optional<std::uint64_t> JavaIds::number(const std::string& id) {
  // Bounded from what was found, so that a history full of other ids costs no more than one.
  while (!numbers_.contains(id) && numbers_.size() < found_ + kLookedFor) {
    const std::uint64_t next = numbers_.size();
    std::string made = name_uuid(absl::StrCat(run_id_, ":", next));
    if (made.empty()) return std::nullopt;  // Without MD5.
    numbers_.emplace(std::move(made), next);
  }
  const auto known = numbers_.find(id);
  if (known == numbers_.end()) return std::nullopt;
  found_ = std::max(found_, known->second + 1);
  return known->second;
}

void Dialect::begin(const std::string& sdk_name, const std::string& run_id,
                    std::shared_ptr<const PayloadCodec> codec) {
  if (sdk_name == kGoSdk) {
    kind_ = Kind::kGo;
    codec_ = std::move(codec);
  } else if (sdk_name == kJavaSdk) {
    kind_ = Kind::kJava;
    java_ids_ = std::make_unique<JavaIds>(run_id);
  }
}

std::string Dialect::make_id(std::uint32_t seq) const {
  return absl::StrCat(foreign() ? "chimera-" : "", seq);
}

absl::StatusOr<Dialect::Marker> Dialect::plain(const Marker& marker) const {
  Marker plain = marker;
  if (codec_ == nullptr) return plain;
  const char* value = marker.marker_name() == kSideEffectMarker     ? "data"
                      : marker.marker_name() == kForeignLocalMarker ? "result"
                                                                    : "";
  for (auto& [name, payloads] : *plain.mutable_details()) {
    if (name == value) continue;
    if (absl::Status status = codec_->decode(payloads); !status.ok()) return status;
  }
  return plain;
}

bool Dialect::is_local(const Marker& marker) const {
  return is_local_marker(marker) || (foreign() && marker.marker_name() == kForeignLocalMarker);
}

std::optional<LocalMarker> Dialect::read_local(const Marker& marker) {
  if (is_local_marker(marker)) return read_local_marker(marker);
  if (!is_local(marker)) return std::nullopt;
  const auto decoded = plain(marker);
  if (!decoded.ok()) return std::nullopt;
  auto read =
      kind_ == Kind::kGo ? read_go_local_marker(*decoded) : read_java_local_marker(*decoded);
  if (!read) return std::nullopt;
  std::uint64_t order = 0;
  if (kind_ == Kind::kGo && absl::SimpleAtoi(read->activity_id, &order)) {
    read->order = order;
  } else if (kind_ == Kind::kJava) {
    // After a reset the ids have another root; then the order of the markers has to do.
    read->order = java_ids_->number(read->activity_id).value_or(kNoOrder);
  } else {
    read->order = kNoOrder;
  }
  return read;
}

}  // namespace chimera::core
