#include "core/converter/failure_size.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

#include "core/base/utf8.h"

namespace chimera::core {
namespace {

using api::failure::v1::Failure;

// Of one failure: enough for its notes and its names.
constexpr std::size_t kPartMin = 2048;

void cut(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  const std::size_t before = text.size();
  text = absl::StrCat(base::cut_utf8(text, bytes_max), "... (cut: it had ", before, " bytes)");
}

api::common::v1::Payloads* details_of(Failure& failure) {
  switch (failure.failure_info_case()) {
    case Failure::kApplicationFailureInfo:
      return failure.mutable_application_failure_info()->mutable_details();
    case Failure::kCanceledFailureInfo:
      return failure.mutable_canceled_failure_info()->mutable_details();
    case Failure::kTimeoutFailureInfo:
      return failure.mutable_timeout_failure_info()->mutable_last_heartbeat_details();
    default:
      return nullptr;
  }
}

void shorten_one(Failure& failure, std::size_t bytes_max) {
  cut(*failure.mutable_message(), bytes_max / 4);
  cut(*failure.mutable_stack_trace(), bytes_max / 4);
  if (failure.encoded_attributes().ByteSizeLong() > bytes_max / 4) {
    failure.set_message(
        absl::StrCat("(its message and stack trace were left out: encoded, they had ",
                     failure.encoded_attributes().ByteSizeLong(), " bytes)"));
    failure.clear_encoded_attributes();
  }
  api::common::v1::Payloads* const details = details_of(failure);
  if (details == nullptr || details->ByteSizeLong() <= bytes_max / 4) return;
  absl::StrAppend(failure.mutable_message(), " (its details were left out: they had ",
                  details->ByteSizeLong(), " bytes)");
  details->Clear();
}

}  // namespace

void cut_causes(Failure& failure) {
  Failure* last = &failure;
  for (int i = 0; i < kCausesMax; ++i) {
    if (!last->has_cause()) return;
    last = last->mutable_cause();
  }
  int more = 0;
  for (const Failure* at = last; at->has_cause(); at = &at->cause()) ++more;
  if (more == 0) return;
  last->clear_cause();
  absl::StrAppend(last->mutable_message(), " (", more, " further causes were left out)");
}

void shorten(Failure& failure, std::size_t bytes_max) {
  if (failure.ByteSizeLong() <= bytes_max) return;
  std::size_t failures = 1;
  for (const Failure* at = &failure; at->has_cause(); at = &at->cause()) ++failures;
  const std::size_t kept = std::clamp<std::size_t>(bytes_max / kPartMin, 1, failures);
  Failure* at = &failure;
  for (std::size_t i = 1; i <= kept; ++i) {
    shorten_one(*at, bytes_max / kept);
    if (i < kept) at = at->mutable_cause();
  }
  if (kept == failures) return;
  at->clear_cause();
  absl::StrAppend(at->mutable_message(), " (", failures - kept, " further causes were left out)");
}

}  // namespace chimera::core
