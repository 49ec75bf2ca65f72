#include "server/engine/rules/failures.h"

#include <memory>

#include "absl/strings/str_cat.h"

#include "core/base/utf8.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

constexpr std::size_t kCutTextMax = 4000;

int length_of(const failure::Failure& failure) {
  int length = 1;
  for (const failure::Failure* one = &failure; one->has_cause(); one = &one->cause()) ++length;
  return length;
}

bool cut_size(failure::Failure& failure) {
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

}  // namespace

failure::Failure server_failure(std::string message) {
  failure::Failure failure;
  failure.set_message(std::move(message));
  failure.mutable_server_failure_info()->set_non_retryable(true);
  return failure;
}

bool cut_causes(failure::Failure& failure) {
  const int length = length_of(failure);
  if (length <= kFailuresMax) return false;
  // The outermost ones, the note, and the one that began it all.
  constexpr int kKept = kFailuresMax - 2;
  failure::Failure* last = &failure;
  for (int i = 1; i < kKept; ++i) last = last->mutable_cause();
  const std::unique_ptr<failure::Failure> rest(last->release_cause());
  failure::Failure* root = rest.get();
  while (root->has_cause()) root = root->mutable_cause();
  failure::Failure& note = *last->mutable_cause();
  note = server_failure(absl::StrCat("The server has left out ", length - kKept - 1,
                                     " causes here: a chain of failures may have ", kFailuresMax,
                                     ", this one had ", length, "."));
  note.set_source("Server");
  note.mutable_cause()->Swap(root);
  return true;
}

bool cut_failure(failure::Failure& failure) {
  const bool deep = cut_causes(failure);
  return cut_size(failure) || deep;
}

}  // namespace chimera::server
