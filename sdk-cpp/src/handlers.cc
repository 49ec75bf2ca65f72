// Which handler takes a signal, query or update, and what a run tells of its own.
#include <algorithm>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/messages.h"

namespace chimera::sdk {
namespace {

using detail::HandlerKind;
using detail::HandlerType;

std::string quoted(const std::string& text) {
  std::string out;
  JsonWriter(out).string(text);
  return out;
}

}  // namespace

const std::vector<HandlerType>& Messages::listed_handlers(HandlerKind kind) const {
  if (kind == HandlerKind::kSignal) return run_.type.signals;
  return kind == HandlerKind::kQuery ? run_.type.queries : run_.type.updates;
}

Messages::Handler Messages::find_handler(HandlerKind kind, const std::string& name) const {
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

void Messages::set_handler(HandlerKind kind, HandlerType handler) {
  const std::string name = handler.name;
  if (kind == HandlerKind::kSignal && !name.empty()) {
    const Handler now = find_handler(kind, name);
    const bool taken = now != nullptr && !now->name.empty();
    if (taken && (now->channel != nullptr || handler.channel != nullptr)) {
      throw std::logic_error(absl::StrCat("the signal '", name, "' of ", run_.owner, " has a ",
                                          now->channel != nullptr
                                              ? "channel, and cannot have a handler"
                                              : "handler, and cannot have a channel",
                                          " too"));
    }
  }
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
    for (const SignalEvent& event : signals.signals) start_signal(kept, signals.name, event);
  }
}

detail::WaitablePtr Messages::signal_channel(const HandlerType& wanted) const {
  const auto& set = set_handlers_[static_cast<int>(HandlerKind::kSignal)];
  const auto found = set.find(wanted.name);
  if (found == set.end() || found->second->channel == nullptr) return nullptr;
  if (found->second->check == wanted.check) return found->second->channel;
  throw std::logic_error(absl::StrCat("the signal '", wanted.name, "' of ", run_.owner,
                                      " has a channel of another type"));
}

bool Messages::holds_code() const {
  return std::any_of(std::begin(set_handlers_), std::end(set_handlers_),
                     [](const auto& handlers) { return !handlers.empty(); });
}

void Messages::forget_handlers() {
  for (auto& handlers : set_handlers_) handlers.clear();
}

std::vector<std::string> Messages::handler_names(HandlerKind kind) const {
  std::vector<std::string> names;
  for (const HandlerType& handler : listed_handlers(kind)) names.push_back(handler.name);
  for (const auto& [name, handler] : set_handlers_[static_cast<int>(kind)]) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string Messages::known_handlers(HandlerKind kind) const {
  std::vector<std::string> names = handler_names(kind);
  if (kind == HandlerKind::kQuery)
    names.insert(names.end(), {"__stack_trace", "__temporal_workflow_metadata"});
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

bool Messages::handlers_running() const {
  return std::any_of(scheduler_.tasks().begin(), scheduler_.tasks().end(),
                     [](const auto& task) { return task->is_handler && !task->finished; });
}

// The texts are the official ones as far as people search for them (temporalio 1.35).
void Messages::warn_of_unfinished_handlers() {
  std::vector<std::string> updates;
  std::map<std::string, int> signals;
  for (const auto& task : scheduler_.tasks()) {
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
  if (run_.quiet()) return;
  if (!updates.empty()) {
    log(LogLevel::kWarning,
        absl::StrCat("[TMPRL1102] ", run_.owner,
                     " ended while update handlers still ran; their callers get an error. Wait "
                     "for all_handlers_finished() first. Updates: [",
                     absl::StrJoin(updates, ","), "]"));
  }
  if (signals.empty()) return;
  const auto count = [](std::string* out, const auto& signal) {
    absl::StrAppend(out, "{\"name\":", quoted(signal.first), ",\"count\":", signal.second, "}");
  };
  log(LogLevel::kWarning,
      absl::StrCat("[TMPRL1102] ", run_.owner,
                   " ended while signal handlers still ran. Wait for all_handlers_finished() "
                   "first. Signals: [",
                   absl::StrJoin(signals, ",", count), "]"));
}

api::sdk::v1::WorkflowMetadata Messages::metadata() const {
  api::sdk::v1::WorkflowMetadata metadata;
  metadata.set_current_details(current_details_);
  auto& definition = *metadata.mutable_definition();
  definition.set_type(run_.context.workflow_type);
  const auto list = [&](HandlerKind kind, auto* definitions) {
    for (const std::string& name : handler_names(kind)) definitions->Add()->set_name(name);
  };
  list(HandlerKind::kSignal, definition.mutable_signal_definitions());
  list(HandlerKind::kQuery, definition.mutable_query_definitions());
  list(HandlerKind::kUpdate, definition.mutable_update_definitions());
  return metadata;
}

}  // namespace chimera::sdk
