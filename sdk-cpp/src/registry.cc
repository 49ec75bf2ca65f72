#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/definition.h"
#include "sdk-cpp/src/library.h"
#include "sdk-cpp/src/overflow_exit.h"

namespace chimera {
namespace {

void check_open(bool closed, const std::string& name) {
  if (!closed) return;
  throw std::logic_error(absl::StrCat(
      "'", name, "' was added to a worker that has been started: add first, then start"));
}

template <class Types>
void check_new(const Types& types, const typename Types::value_type& type, const char* kind) {
  const std::string& name = type.name;
  if (name.empty() && !type.dynamic)
    throw std::invalid_argument(absl::StrCat("a ", kind, " needs a name"));
  for (const auto& each : types) {
    if (each.name != name) continue;
    throw std::invalid_argument(
        name.empty() ? absl::StrCat("a dynamic ", kind, " is registered twice")
                     : absl::StrCat("the ", kind, " '", name, "' is registered twice"));
  }
}

}  // namespace

namespace detail {

struct DefinedNames::Name {
  std::string workflow_type, name;
  const Name* next;
};

void DefinedNames::push(std::atomic<const Name*>& list, std::string_view workflow_type,
                        std::string_view name) {
  auto* const added =
      new Name{std::string(workflow_type), std::string(name), list.load(std::memory_order_acquire)};
  while (!list.compare_exchange_weak(added->next, added, std::memory_order_acq_rel)) {
  }
}

void DefinedNames::add(std::string_view workflow_type, std::string_view name) {
  for (const Name* at = last_.load(std::memory_order_acquire); at != nullptr; at = at->next) {
    if (at->workflow_type == workflow_type && at->name == name) return;
  }
  push(last_, workflow_type, name);
}

std::string_view DefinedNames::find(std::string_view workflow_type, std::string_view otherwise) {
  const Name* const last = last_.load(std::memory_order_acquire);
  const Name* found = nullptr;
  // First those of the workflow type, then all.
  for (const bool all : {false, true}) {
    for (const Name* at = last; at != nullptr; at = at->next) {
      if (!all && at->workflow_type != workflow_type) continue;
      if (found != nullptr && at->name != found->name) {
        throw std::logic_error(absl::StrCat(
            std::string(otherwise), " is defined under the names '", at->name, "' and '",
            found->name,
            "': name the definition in the call (start_workflow<kOrder>), use a handle of a known "
            "workflow, or give the name"));
      }
      found = at;
    }
    if (found != nullptr) break;
  }
  const std::string_view answer = found == nullptr ? otherwise : std::string_view(found->name);
  for (const Name* at = last_said_.load(std::memory_order_acquire); at != nullptr; at = at->next) {
    if (at->workflow_type != workflow_type) continue;
    if (at->name == answer) return answer;
    // Sent either way, it would depend on when the definition was made.
    throw std::logic_error(absl::StrCat(
        std::string(otherwise), " was called as '", at->name,
        "' by this process, and a definition "
        "that came later says '",
        std::string(answer),
        "': define it at namespace scope, so that its name is there before the first call"));
  }
  push(last_said_, workflow_type, answer);
  return answer;
}

}  // namespace detail

Registry& Registry::add_workflow_type(detail::WorkflowType type) {
  check_open(closed_, type.name);
  check_new(workflows_, type, "workflow");
  if (type.dynamic && type.failures.nondeterminism) {
    throw std::invalid_argument(
        "NondeterminismError cannot be among the failure_exceptions of a dynamic workflow; give it "
        "to "
        "WorkerOptions::workflow_failure_exceptions, for all workflows");
  }
  for (const auto* handlers : {&type.signals, &type.queries, &type.updates}) {
    for (auto at = handlers->begin(); at != handlers->end(); ++at) {
      for (auto other = handlers->begin(); other != at; ++other) {
        if (other->name != at->name) continue;
        throw std::invalid_argument(absl::StrCat(
            type.dynamic ? "the dynamic workflow" : absl::StrCat("the workflow '", type.name, "'"),
            " defines ",
            at->name.empty() ? "a dynamic handler" : absl::StrCat("the handler '", at->name, "'"),
            " twice"));
      }
    }
  }
  sdk::note_workflow_code(reinterpret_cast<const void*>(type.run));
  workflows_.push_back(std::move(type));
  return *this;
}

Registry& Registry::add_nexus_service_type(detail::NexusServiceType type) {
  check_open(closed_, type.name);
  for (const std::string& operation : type.contract) {
    const auto has = [&](const auto& each) { return each.name == operation; };
    if (std::ranges::any_of(type.operations, has)) continue;
    throw std::invalid_argument(absl::StrCat("the Nexus operation ", type.name, "/", operation,
                                             " has no handler: give it one by handle<...>(), then "
                                             "add the service"));
  }
  for (const auto& each : nexus_services_) {
    if (each.name == type.name)
      throw std::invalid_argument(
          absl::StrCat("the Nexus service '", type.name, "' is registered twice"));
  }
  nexus_services_.push_back(std::move(type));
  return *this;
}

Registry& Registry::add_library(const std::string& path) {
  const auto loaded = sdk::load_library(path, *this);
  if (!loaded.ok()) throw std::runtime_error(std::string(loaded.status().message()));
  return *this;
}

Registry& Registry::add_activity_type(detail::ActivityType type) {
  check_open(closed_, type.name);
  check_new(activities_, type, "activity");
  activities_.push_back(std::move(type));
  return *this;
}

}  // namespace chimera
