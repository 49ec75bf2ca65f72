#include "server/engine/rules/limits.h"

#include "server/base/errors.h"

namespace chimera::server {
Verdict too_long(Cause cause, const char* command, std::initializer_list<Length> lengths) {
  for (const Length& length : lengths) {
    if (length.value.size() <= kIdMax) continue;
    return TaskFailure{
        cause, absl::StrCat(length.field, " on ", command, " exceeds length limit. ", length.before,
                            length.field, "=", length.value, " ", length.after,
                            "Length=", length.value.size(), " Limit=", kIdMax)};
  }
  return std::nullopt;
}

Verdict too_big(Cause cause, std::size_t bytes, const char* what) {
  if (bytes <= kBlobBytesMax) return std::nullopt;
  return TaskFailure{cause, absl::StrCat(what, " exceeds size limit."), /*terminate=*/true};
}

absl::Status check_length(absl::string_view what, absl::string_view value) {
  if (value.size() <= kIdMax) return absl::OkStatus();
  return invalid(absl::StrCat(what, " length exceeds limit."));
}

absl::Status check_blob(const google::protobuf::Message& payloads) {
  if (payloads.ByteSizeLong() <= kBlobBytesMax) return absl::OkStatus();
  return invalid("Blob data size exceeds limit.");
}

}  // namespace chimera::server
