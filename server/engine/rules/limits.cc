#include "server/engine/rules/limits.h"

#include "core/base/utf8.h"
#include "server/base/errors.h"

namespace chimera::server {
namespace {

constexpr std::size_t kCutTextMax = 4000;

}  // namespace

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

failure::Failure server_failure(std::string message) {
  failure::Failure failure;
  failure.set_message(std::move(message));
  failure.mutable_server_failure_info()->set_non_retryable(true);
  return failure;
}

bool cut_failure(failure::Failure& failure) {
  if (failure.ByteSizeLong() <= kBlobBytesMax) return false;
  failure::Failure cut = server_failure("Failure exceeds size limit.");
  failure::Failure& cause = *cut.mutable_cause();
  cause.set_message(base::cut_utf8(failure.message(), kCutTextMax));
  cause.set_source(base::cut_utf8(failure.source(), kCutTextMax));
  cause.set_stack_trace(base::cut_utf8(failure.stack_trace(), kCutTextMax));
  if (failure.has_application_failure_info()) {
    auto& info = *cause.mutable_application_failure_info();
    info.set_type(base::cut_utf8(failure.application_failure_info().type(), kCutTextMax));
    info.set_non_retryable(failure.application_failure_info().non_retryable());
  }
  failure = std::move(cut);
  return true;
}

}  // namespace chimera::server
