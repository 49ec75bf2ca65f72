#include "sdk-cpp/src/run.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/workflow_state.h"

namespace chimera::sdk {
namespace {
std::atomic<std::uint64_t> last_number{0};
}  // namespace

Run::Run(const detail::WorkflowType& type_in, const core::RunContext& context_in,
         const Codec& codec_in, core::Metrics& metrics_in)
    : type(type_in),
      context(context_in),
      values({.namespace_ = context.namespace_, .workflow_id = context.workflow_id}),
      codec(codec_in.in(values)),
      metrics(metrics_in),
      owner(absl::StrCat("workflow ", context.workflow_type, " (id ", context.workflow_id, ", run ",
                         context.run_id, ")")),
      number(last_number.fetch_add(1, std::memory_order_relaxed) + 1) {}

void Run::add_command(core::CommandVariant command, std::string_view summary,
                      std::string_view details) {
  if (evicting) return;
  core::Command out{.variant = std::move(command)};
  out.place = std::exchange(place, 0);
  if (!summary.empty() || !details.empty()) {
    out.user_metadata = std::make_unique<api::sdk::v1::UserMetadata>();
    set_metadata(summary, details, codec, *out.user_metadata);
  }
  commands.push_back(std::move(out));
}

bool Run::may_change(const char* call) const {
  if (!read_only) return !evicting;
  throw ReadOnlyContextError(absl::StrCat(
      "chimera::workflow::", call, " is not allowed in ",
      in_side_effect ? "the function of a side effect" : "a query, a validator or a wait condition",
      " of ", owner));
}

void Run::set_task_error(std::string message, bool nondeterminism) {
  if (!task_error.empty()) return;
  task_error = std::move(message);
  disagrees = nondeterminism;
}

namespace {
std::string uuid_text(std::uint64_t high, std::uint64_t low) {
  low = (low & ~(0xC0ull << 56)) | (0x80ull << 56);  // Variant 1
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xFFFF,
                         high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFull);
}
}  // namespace

std::string Run::make_uuid() {
  const std::uint64_t high = (random() & ~0xF000ull) | 0x4000ull;
  return uuid_text(high, random());
}

std::string Run::make_timed_uuid() {
  const auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::uint64_t high =
      (static_cast<std::uint64_t>(milliseconds) << 16) | 0x7000 | (random() & 0xFFF);
  return uuid_text(high, random());
}

namespace {

bool is_cancelled_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return is_cancelled(error);
  } catch (...) {
    return false;
  }
}

std::string why_task_fails(const Run& run) {
  try {
    throw;
  } catch (const ConversionError&) {
    return absl::StrCat("cannot convert a value of ", run.owner, ": ", describe_current());
  } catch (...) {
    return absl::StrCat(describe_current(), " left ", run.owner,
                        ". Only chimera's failures (ApplicationError and the like) fail a "
                        "workflow; the task is tried again.");
  }
}

}  // namespace

// As in the official Python SDK 1.35 (_WorkflowInstanceImpl).
void end_with_current_exception(Run& run) {
  try {
    throw;
  } catch (const Unwinding&) {
    throw;
  } catch (ContinueAsNew& next) {
    run.add_command(core::ContinueAsNewWorkflowExecution{std::move(next.attributes)});
  } catch (...) {
    run.place = 0;
    const std::exception_ptr failure = failing(run);
    if (failure == nullptr) {
      run.set_task_error(why_task_fails(run));
    } else if (run.cancel_requested && is_cancelled_error(failure)) {
      run.add_command(core::CancelWorkflowExecution{});
    } else {
      run.add_command(core::FailWorkflowExecution{to_failure(failure, run.codec)});
    }
  }
}

void report_trouble(Run& run, absl::FunctionRef<void()> code) {
  try {
    code();
  } catch (const Unwinding&) {
    throw;
  } catch (...) {
    run.set_task_error(
        absl::StrCat("cannot report how a part of ", run.owner, " ended: ", describe_current()));
  }
}

namespace {
// Of the exception that is being handled.
bool is_listed(const Run& run) {
  return std::ranges::any_of(run.type.failures.types, [](bool (*is)()) { return is(); });
}
}  // namespace

std::exception_ptr failing(const Run& run) {
  const bool listed = is_listed(run);
  const std::exception_ptr error = run.codec.to_failure(std::current_exception());
  try {
    std::rethrow_exception(error);
  } catch (const Unwinding&) {
    throw;
  } catch (const FailureError&) {
    return error;
  } catch (...) {
    return listed || is_listed(run) ? error : nullptr;
  }
}

}  // namespace chimera::sdk
