// PollWorkflowExecutionTimeSkipping: waits for the end of a fast-forward, through the runs of its
// chain. Texts and rules are the genuine server's (1.32).
#include <algorithm>

#include "absl/strings/ascii.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/workflow_options.h"

namespace chimera::server {
namespace {

using PollCall = TypedCall<wf::PollWorkflowExecutionTimeSkippingRequest,
                           wf::PollWorkflowExecutionTimeSkippingResponse>;
using FastForwardInfo = common::TimeSkippingFastForwardInfo;
constexpr Nanos kLongPoll = seconds{20};

constexpr char kNotEnabled[] = "The Time-Skipping feature is not enabled for namespace.";
constexpr char kNoId[] = "Time skipping config invalid: fast_forward_id must be set";

bool is_blank(const std::string& text) { return absl::StripAsciiWhitespace(text).empty(); }

// A poll that waits for its run, or the one that follows it, to change. Owned by the waiter that it
// has left there and by its timer's holder.
struct FastForwardWait {
  PollCall call;
  RunWeak run;
  WallTime target = kUnset;  // As it was at first; kUnset: this is the first look.
  bool fails_late = false;   // The caller's time is over before a long poll's.
  std::unique_ptr<Timer> deadline{};
  std::uint64_t place = 0;

  void leave() const {
    if (const RunPtr live = run.lock()) live->waiting.history.erase(place);
  }
};
using WaitPtr = std::shared_ptr<FastForwardWait>;

// What became of it; unset: it goes on.
struct Verdict {
  enums::FastForwardPollingResult result = enums::FAST_FORWARD_POLLING_RESULT_UNSPECIFIED;
  std::string reason;
};

Verdict judge(const Run& run, const FastForwardWait& wait) {
  const auto failed = [](const char* reason) {
    return Verdict{enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED, reason};
  };
  const SkippedTime* time = run.skipped.get();
  const bool has_one = time != nullptr && time->fast_forward && time->config;
  if (!has_one || time->config->fast_forward_config().id() != wait.call.request().fast_forward_id())
    return failed(
        "the requested fast_forward_id does not match the execution's current fast-forward");
  if (wait.target != kUnset && time->fast_forward->target != wait.target)
    return failed("the fast-forward was reset");
  if (time->fast_forward->target > kLastOfSkips)
    return failed("no clock skips beyond the year 2219; fast-forward by less");
  if (time->fast_forward->reached)
    return {enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED, ""};
  if (!run.running() && run.new_run_id.empty())
    return failed("the execution ended before the fast-forward completed");
  if (!time->enabled())
    return failed("time skipping was disabled before the fast-forward completed");
  return {};
}

void answer(Engine& engine, const WaitPtr& wait, const Run& run, Verdict verdict) {
  auto& response = wait->call.response();
  response.set_fast_forward_polling_result(verdict.result);
  response.set_failed_reason(std::move(verdict.reason));
  if (run.skipped != nullptr && run.skipped->fast_forward)
    *response.mutable_fast_forward_info() = run.skipped->describe_fast_forward();
  engine.finish(wait->call.raw(), absl::OkStatus());
}

void look(Engine& engine, const WaitPtr& wait, bool late);

void arm(Engine& engine, const WaitPtr& wait) {
  const CallPtr& call = wait->call.raw();
  call->on_cancel = [weak = std::weak_ptr(wait)] {
    if (const auto live = weak.lock()) live->leave();
  };
  wait->deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(wait)] {
    if (const WaitPtr live = weak.lock())
      engine.follow_up([&engine, live] { look(engine, live, /*late=*/true); });
  });
  wait->fails_late = call->timeout > Nanos{0} && call->timeout <= kLongPoll;
  engine.loop().patience().arm(
      *wait->deadline, engine.loop().real_now() + (wait->fails_late ? call->timeout : kLongPoll));
}

// The run whose end is followed by another waits there: the target is the same.
RunPtr last_of_chain(Engine& engine, RunPtr run) {
  while (!run->running() && !run->new_run_id.empty()) {
    const Run* next = engine.runs().by_id(run->new_run_id);
    if (next == nullptr) break;
    run = share(*next);
  }
  return run;
}

void look(Engine& engine, const WaitPtr& wait, bool late) {
  wait->leave();
  if (wait->call.raw()->finished) return;
  const RunPtr gone_or_not = wait->run.lock();
  if (gone_or_not == nullptr)
    return engine.finish(wait->call.raw(), not_found("workflow execution not found"));
  // The first look is at the run that was asked about.
  const RunPtr run = wait->target == kUnset ? gone_or_not : last_of_chain(engine, gone_or_not);
  if (Verdict verdict = judge(*run, *wait);
      verdict.result != enums::FAST_FORWARD_POLLING_RESULT_UNSPECIFIED)
    return answer(engine, wait, *run, std::move(verdict));
  if (late && wait->fails_late) {
    return engine.finish(wait->call.raw(),
                         absl::DeadlineExceededError("context deadline exceeded"));
  }
  if (late)
    return answer(engine, wait, *run, {enums::FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT, ""});
  const RunPtr at = last_of_chain(engine, run);
  if (wait->target == kUnset) {
    wait->target = run->skipped->fast_forward->target;
    arm(engine, wait);
    wait->run = at;
    if (at != run) return look(engine, wait, /*late=*/false);
  }
  wait->run = at;
  wait->place = engine.ids().next_stamp();
  at->waiting.history[wait->place] = [&engine, wait] { look(engine, wait, /*late=*/false); };
}

absl::Status poll(Engine& engine, PollCall call) {
  auto& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (!engine.config().time_skipping) return absl::UnimplementedError(kNotEnabled);
  if (is_blank(request.fast_forward_id())) return invalid(kNoId);
  const auto& execution = request.workflow_execution();
  absl::StatusOr<const Run*> run =
      engine.runs().find(**ns, execution.workflow_id(), execution.run_id());
  if (!run.ok()) return run.status();
  look(engine, std::make_shared<FastForwardWait>(FastForwardWait{call, share(**run)}),
       /*late=*/false);
  return absl::OkStatus();
}

}  // namespace

absl::Status check_time_skipping(const DynamicConfig& config, common::TimeSkippingConfig& wanted) {
  if (!config.time_skipping) return absl::UnimplementedError(kNotEnabled);
  if (wanted.max_session_skip_count() <= 0)
    wanted.set_max_session_skip_count(static_cast<std::int32_t>(config.skips_max));
  if (!wanted.has_fast_forward_config()) return absl::OkStatus();
  const auto& forward = wanted.fast_forward_config();
  if (to_nanos(forward.duration()) <= Nanos{0})
    return invalid("Time skipping config invalid: fast_forward duration must be positive");
  if (is_blank(forward.id())) return invalid(kNoId);
  if (!wanted.enabled())
    return invalid("time_skipping_config: cannot set fast_forward when enabled is false");
  return absl::OkStatus();
}

void register_fast_forwards(MethodTable& table) {
  table.add("PollWorkflowExecutionTimeSkipping", poll);
}

}  // namespace chimera::server
