#include "server/engine/rules/failures.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

#include "core/base/utf8.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

// Genuine server 1.29: limit.blobSize.warn, limit.mutableStateActivityFailureSize.error.
constexpr std::int64_t kCutBytes = 512 << 10, kRetriedBytes = 4 << 10;
constexpr int kCutDepth = 20;

int length_of(const failure::Failure& failure) {
  int length = 1;
  for (const failure::Failure* one = &failure; one->has_cause(); one = &one->cause()) ++length;
  return length;
}

// What of a failure fits into so many bytes: its kind and its texts, the most important first.
class Cut {
 public:
  explicit Cut(std::int64_t bytes) : left_(bytes) {}

  void copy(const failure::Failure& from, failure::Failure& to, int depth) {
    if (from.has_application_failure_info()) {
      const auto& info = from.application_failure_info();
      to.mutable_application_failure_info()->set_non_retryable(info.non_retryable());
      to.mutable_application_failure_info()->set_type(text(info.type()));
      left_ -= 8;
    } else if (from.has_server_failure_info()) {
      to.mutable_server_failure_info()->set_non_retryable(
          from.server_failure_info().non_retryable());
      left_ -= 4;
    }
    to.set_source(text(from.source()));
    to.set_message(text(from.message()));
    to.set_stack_trace(text(from.stack_trace()));
    if (!from.has_cause() || depth == 0 || left_ <= 4) return;
    left_ -= 4;
    copy(from.cause(), *to.mutable_cause(), depth - 1);
  }

 private:
  std::string text(const std::string& whole) {
    std::string kept(
        base::cut_utf8(whole, static_cast<std::size_t>(std::max<std::int64_t>(left_, 0))));
    left_ -= static_cast<std::int64_t>(kept.size()) + (kept.empty() ? 0 : 4);
    return kept;
  }
  std::int64_t left_;
};

bool cut_size(failure::Failure& failure, std::size_t most, std::int64_t kept) {
  if (failure.ByteSizeLong() <= most) return false;
  failure::Failure cut = server_failure("Failure exceeds size limit.");
  Cut(kept).copy(failure, *cut.mutable_cause(), kCutDepth);
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
  return cut_size(failure, kBlobBytesMax, kCutBytes) || deep;
}

void cut_retried_failure(failure::Failure& failure) {
  if (cut_size(failure, kRetriedBytes, kRetriedBytes))
    failure.mutable_server_failure_info()->set_non_retryable(false);
}

}  // namespace chimera::server
