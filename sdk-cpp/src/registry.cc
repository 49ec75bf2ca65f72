#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/definition.h"

namespace chimera {
namespace {

void check_open(bool closed, const std::string& name) {
  if (!closed) return;
  throw std::logic_error(absl::StrCat(
      "'", name, "' was added to a worker that has been started: add first, then start"));
}

template <class Types>
void check_new(const Types& types, const std::string& name, const char* kind) {
  if (name.empty()) throw std::invalid_argument(absl::StrCat("a ", kind, " needs a name"));
  for (const auto& each : types) {
    if (each.name == name) {
      throw std::invalid_argument(absl::StrCat("the ", kind, " '", name, "' is registered twice"));
    }
  }
}

}  // namespace

Registry& Registry::add_workflow_type(detail::WorkflowType type) {
  check_open(closed_, type.name);
  check_new(workflows_, type.name, "workflow");
  for (const auto* handlers : {&type.signals, &type.queries, &type.updates}) {
    for (auto at = handlers->begin(); at != handlers->end(); ++at) {
      for (auto other = handlers->begin(); other != at; ++other) {
        if (other->name != at->name) continue;
        throw std::invalid_argument(absl::StrCat(
            "the workflow '", type.name, "' defines ",
            at->name.empty() ? "a dynamic handler" : absl::StrCat("the handler '", at->name, "'"),
            " twice"));
      }
    }
  }
  workflows_.push_back(std::move(type));
  return *this;
}

Registry& Registry::add_activity_type(detail::ActivityType type) {
  check_open(closed_, type.name);
  check_new(activities_, type.name, "activity");
  activities_.push_back(std::move(type));
  return *this;
}

}  // namespace chimera
