// Side effects and versions: what chimera/side_effect.h promises.
#include "sdk-cpp/src/records.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/workflow.h"
#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/own_calls.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace sdk {

using Kind = core::Recorded::Kind;

const ProtoPayload* Records::Mutable::value_at(std::int64_t call) {
  auto after = values.upper_bound(call);
  if (after == values.begin()) return nullptr;
  values.erase(values.begin(), std::prev(after));
  return &values.begin()->second;
}

void Records::apply(const core::NotifyRecorded& job) {
  const core::Recorded& recorded = job.recorded;
  switch (recorded.kind) {
    case Kind::kVersion:
      versions.try_emplace(recorded.id, Version{recorded.number});
      return;
    case Kind::kSideEffect:
      side_effects[recorded.number] = recorded.value;
      return;
    case Kind::kMutableSideEffect: {
      Mutable& one = mutables[recorded.id];
      one.values[recorded.number > 0 ? recorded.number : one.calls] = recorded.value;
      return;
    }
  }
}

std::optional<ProtoPayload> Records::take_side_effect(std::int64_t number) {
  const auto found = side_effects.find(number);
  if (found == side_effects.end()) return std::nullopt;
  ProtoPayload value = std::move(found->second);
  side_effects.erase(found);
  return value;
}

namespace {

// The task has failed, and what the code would go on with is not what history would have: it does
// not go on.
[[noreturn]] void stop(WorkflowRuntime& runtime) {
  detail::TaskState* const task = runtime.scheduler().running();
  if (task == nullptr) throw std::logic_error(runtime.run().task_error);  // In a constructor.
  for (;;) {  // Until the run leaves the cache, which unwinds the task.
    Scheduler::take_cancel(*task);
    runtime.scheduler().park(*task);
  }
}

// The core adds the history around.
[[noreturn]] void disagree(WorkflowRuntime& runtime, const char* call, const std::string& what,
                           const std::string& cause = {}) {
  Run& run = runtime.run();
  std::string text = absl::StrCat("[TMPRL1100] Nondeterminism error: in ", run.owner,
                                  " history and code disagree: ", what,
                                  ". See docs/errors.md, TMPRL1100.\n  code:    ", call, "()");
  if (const std::string place = describe_place(run.place); !place.empty())
    absl::StrAppend(&text, ", at ", place);
  if (!cause.empty()) absl::StrAppend(&text, "\n  Probably ", cause, ".");
  run.set_task_error(std::move(text), /*nondeterminism=*/true);
  stop(runtime);
}

std::string added(const char* call) {
  return absl::StrCat("a call of ", call,
                      "() was added, or the code takes another way than it did");
}

class ReadOnly {
 public:
  explicit ReadOnly(Run& run) : run_(run) { run_.read_only = run_.in_side_effect = true; }
  ~ReadOnly() { run_.read_only = run_.in_side_effect = false; }

 private:
  Run& run_;
};

// What the user's function makes, encoded. It may not wait, nor change the workflow.
template <class Make>
std::optional<ProtoPayload> make_value(WorkflowRuntime& runtime, const char* call,
                                       const Make& make) {
  Run& run = runtime.run();
  ProtoPayload value;
  std::string trouble;
  try {
    const ReadOnly guard(run);
    PayloadSink sink(&value);
    if (!make(sink)) return std::nullopt;
    encode_in_place(value, run.codec);
    return value;
  } catch (...) {
    trouble = describe_current();
  }
  run.set_task_error(absl::StrCat("the function of ", call, "() in ", run.owner, " threw ", trouble,
                                  "; history keeps only a value. Catch it in the function, or use "
                                  "a local activity"));
  stop(runtime);
}

void hand_over(const ProtoPayload& encoded, const Run& run,
               const std::function<void(const PayloadSource&)>& take) {
  ProtoPayload scratch;
  const ProtoPayload& plain = decoded(encoded, run.codec, scratch);
  const Converting converting(&run.values);
  take(PayloadSource(&plain));
}

}  // namespace

void OwnCalls::call(SideEffectInput& input) {
  Run& run = runtime_.run();
  if (!run.may_change(input.kCall)) return;
  Records& records = runtime_.records();
  const std::int64_t number = ++records.side_effects_made;
  std::optional<ProtoPayload> value = records.take_side_effect(number);
  if (!value && run.info.is_replaying) {
    disagree(
        runtime_, input.kCall,
        absl::StrCat("the code asks for side effect ", number, ", which history has no marker of"),
        added(input.kCall));
  }
  if (!value) {
    value = make_value(runtime_, input.kCall, [&](PayloadSink& out) {
      input.make(out);
      return true;
    });
  }
  run.add_command(core::RecordOnce{{Kind::kSideEffect, "", number, *value}});
  hand_over(*value, run, input.take);
}

void OwnCalls::call(MutableSideEffectInput& input) {
  Run& run = runtime_.run();
  if (!run.may_change(input.kCall)) return;
  const std::string id(input.id);
  Records::Mutable& one = runtime_.records().mutables[id];
  const std::int64_t call = ++one.calls;
  const ProtoPayload* before = one.value_at(call);
  const bool known = run.info.is_replaying || one.values.contains(call);
  if (known && before == nullptr) {
    disagree(runtime_, input.kCall,
             absl::StrCat("the code asks for the mutable side effect \"", id,
                          "\", which history has no marker of"),
             added(input.kCall));
  }
  if (known) return hand_over(*before, run, input.take);
  auto value = make_value(runtime_, input.kCall, [&](PayloadSink& out) {
    if (before == nullptr) return input.make(nullptr, out);
    ProtoPayload scratch;
    const PayloadSource kept(&decoded(*before, run.codec, scratch));
    return input.make(&kept, out);
  });
  if (!value) return hand_over(*before, run, input.take);
  one.values[call] = *value;
  run.add_command(core::RecordOnce{{Kind::kMutableSideEffect, id, call, *value}});
  hand_over(*value, run, input.take);
}

int OwnCalls::call(GetVersionInput& input) {
  Run& run = runtime_.run();
  const std::string id(input.change_id);
  const int least = input.min_supported, most = input.max_supported;
  if (id.empty()) throw std::invalid_argument("get_version(): the change needs an id");
  if (least > most) {
    throw std::invalid_argument(absl::StrCat("get_version(\"", id, "\", ", least, ", ", most,
                                             "): the lowest supported version is the higher one"));
  }
  if (!run.may_change(input.kCall)) return most;
  const auto [at, fresh] = runtime_.records().versions.try_emplace(id);
  Records::Version& known = at->second;
  if (fresh) known.version = run.info.is_replaying ? workflow::kDefaultVersion : most;
  if (known.version < least || known.version > most) {
    disagree(runtime_, input.kCall,
             absl::StrCat("this run has version ", known.version, " of the change \"", id,
                          "\", and the code supports ", least, " to ", most,
                          known.version < least ? ": it has dropped the version too early"
                                                : ": it is older than the run"));
  }
  if (!std::exchange(known.asked, true))
    run.add_command(core::RecordOnce{{Kind::kVersion, id, known.version}});
  return static_cast<int>(known.version);
}

}  // namespace sdk

namespace detail {

void side_effect(const std::function<void(PayloadSink&)>& make,
                 const std::function<void(const PayloadSource&)>& take) {
  sdk::call(sdk::SideEffectInput{make, take});
}

void mutable_side_effect(std::string_view id,
                         const std::function<bool(const PayloadSource*, PayloadSink&)>& make,
                         const std::function<void(const PayloadSource&)>& take) {
  sdk::call(sdk::MutableSideEffectInput{id, make, take});
}

}  // namespace detail

namespace workflow {

int get_version(std::string_view change_id, int min_supported, int max_supported) {
  return sdk::call(sdk::GetVersionInput{change_id, min_supported, max_supported});
}

}  // namespace workflow
}  // namespace chimera
