// Which handler takes a signal, query or update, and what a run tells of itself: stack traces,
// metadata, handlers that have not finished.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <cxxabi.h>
#include <dlfcn.h>

#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {
namespace {

using detail::HandlerKind;
using detail::HandlerType;

constexpr const char* kStackTrace = "__stack_trace";
constexpr const char* kMetadata = "__temporal_workflow_metadata";

// "OrderWorkflow::run(Order)" where the symbol is known, else "orders+0x4711" for addr2line.
std::string describe_frame(void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0) return absl::StrFormat("%p", address);
  if (info.dli_sname != nullptr) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
    return status == 0 ? name.get() : info.dli_sname;
  }
  const std::string_view path = info.dli_fname == nullptr ? "?" : info.dli_fname;
  const auto offset = static_cast<char*>(address) - static_cast<char*>(info.dli_fbase);
  return absl::StrFormat("%s+%#x", std::string(path.substr(path.rfind('/') + 1)), offset);
}

bool internal(const std::string& frame) {
  return frame.rfind("chimera::sdk::", 0) == 0 || frame.rfind("chimera::detail::", 0) == 0;
}

std::string quoted(const std::string& text) {
  std::string out;
  JsonWriter(out).string(text);
  return out;
}

}  // namespace

const std::vector<HandlerType>& WorkflowRuntime::listed_handlers(HandlerKind kind) const {
  if (kind == HandlerKind::kSignal) return type_.signals;
  return kind == HandlerKind::kQuery ? type_.queries : type_.updates;
}

WorkflowRuntime::Handler WorkflowRuntime::find_handler(HandlerKind kind,
                                                       const std::string& name) const {
  const auto& set = set_handlers_[static_cast<int>(kind)];
  const auto& listed = listed_handlers(kind);
  for (const std::string& wanted : {name, std::string()}) {
    if (const auto found = set.find(wanted); found != set.end()) return found->second;
    for (const HandlerType& handler : listed) {
      // The type outlives its runs: the pointer owns nothing.
      if (handler.name == wanted) return {std::shared_ptr<void>(), &handler};
    }
  }
  return nullptr;
}

void WorkflowRuntime::set_handler(HandlerKind kind, HandlerType handler) {
  const std::string name = handler.name;
  const auto kept = std::make_shared<const HandlerType>(std::move(handler));
  set_handlers_[static_cast<int>(kind)][name] = kept;
  if (kind != HandlerKind::kSignal) return;
  // One for all names drains everything that waits.
  for (auto at = buffered_signals_.begin(); at != buffered_signals_.end();) {
    if (!name.empty() && at->name != name) {
      ++at;
      continue;
    }
    const BufferedSignals signals = std::move(*at);
    at = buffered_signals_.erase(at);
    for (const ProtoPayloads& input : signals.inputs) start_signal(kept, signals.name, input);
  }
}

std::vector<std::string> WorkflowRuntime::handler_names(HandlerKind kind) const {
  std::vector<std::string> names;
  for (const HandlerType& handler : listed_handlers(kind)) names.push_back(handler.name);
  for (const auto& [name, handler] : set_handlers_[static_cast<int>(kind)]) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string WorkflowRuntime::known_handlers(HandlerKind kind) const {
  std::vector<std::string> names = handler_names(kind);
  if (kind == HandlerKind::kQuery) names.insert(names.end(), {kStackTrace, kMetadata});
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

bool WorkflowRuntime::handlers_running() const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [](const auto& task) { return task->is_handler && !task->finished; });
}

// The texts are the official ones as far as people search for them (temporalio 1.35).
void WorkflowRuntime::warn_of_unfinished_handlers() {
  std::vector<std::string> updates;
  std::map<std::string, int> signals;
  for (const auto& task : tasks_) {
    if (!task->is_handler || task->handler == nullptr ||
        task->handler->unfinished_policy == HandlerUnfinishedPolicy::kAbandon)
      continue;
    if (task->update != nullptr) {
      updates.push_back(absl::StrCat("{\"name\":", quoted(task->update->name),
                                     ",\"id\":", quoted(task->update->id), "}"));
    } else {
      ++signals[task->name.substr(std::string_view("signal ").size())];
    }
  }
  if (quiet()) return;
  if (!updates.empty()) {
    log(LogLevel::kWarning,
        absl::StrCat("[TMPRL1102] ", owner_,
                     " ended while update handlers still ran; their callers get an error. Wait "
                     "for all_handlers_finished() first. Updates: [",
                     absl::StrJoin(updates, ","), "]"));
  }
  if (signals.empty()) return;
  const auto count = [](std::string* out, const auto& signal) {
    absl::StrAppend(out, "{\"name\":", quoted(signal.first), ",\"count\":", signal.second, "}");
  };
  log(LogLevel::kWarning,
      absl::StrCat("[TMPRL1102] ", owner_,
                   " ended while signal handlers still ran. Wait for all_handlers_finished() "
                   "first. Signals: [",
                   absl::StrJoin(signals, ",", count), "]"));
}

bool WorkflowRuntime::answer_built_in(const std::string& query, ProtoPayload& answer) {
  PayloadSink sink(&answer);
  if (query == kStackTrace) {
    encode(sink, stack_traces());
  } else if (query == kMetadata) {
    sink.set_message(metadata());
  } else {
    return false;
  }
  return true;
}

// Each parked task is resumed just to note its frames, and parks again.
std::string WorkflowRuntime::stack_traces() {
  std::string text;
  for (const auto& task : tasks_) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", task->name, " (in ", task->waiting_in, ")\n");
    if (!task->fiber->started()) continue;
    std::vector<void*> frames;
    trace_ = &frames;
    running_ = task.get();
    task->fiber->resume();
    running_ = nullptr;
    trace_ = nullptr;
    for (void* address : frames) {
      const std::string frame = describe_frame(address);
      if (!internal(frame)) absl::StrAppend(&text, "  at ", frame, "\n");
    }
  }
  return text;
}

api::sdk::v1::WorkflowMetadata WorkflowRuntime::metadata() const {
  api::sdk::v1::WorkflowMetadata metadata;
  metadata.set_current_details(current_details_);
  auto& definition = *metadata.mutable_definition();
  definition.set_type(context_.workflow_type);
  const auto list = [&](HandlerKind kind, auto* definitions) {
    for (const std::string& name : handler_names(kind)) definitions->Add()->set_name(name);
  };
  list(HandlerKind::kSignal, definition.mutable_signal_definitions());
  list(HandlerKind::kQuery, definition.mutable_query_definitions());
  list(HandlerKind::kUpdate, definition.mutable_update_definitions());
  return metadata;
}

}  // namespace chimera::sdk
