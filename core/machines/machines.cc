#include "core/machines/machines.h"

#include <array>

namespace chimera::core {
namespace {

constexpr std::size_t kEventTypes = api::enums::v1::EventType_ARRAYSIZE;

using Later = std::array<const LaterEvent*, kEventTypes>;

template <class... Ms>
Later list_all(const std::variant<Ms...>*) {
  Later later{};
  const auto list = [&](const auto& events) {
    for (const LaterEvent& event : events) later[static_cast<std::size_t>(event.type)] = &event;
  };
  (list(Ms::kLater), ...);
  return later;
}

}  // namespace

const LaterEvent* later_event(EventType type) {
  static const Later later = list_all(static_cast<const Machine*>(nullptr));
  return type >= 0 && static_cast<std::size_t>(type) < later.size()
             ? later[static_cast<std::size_t>(type)]
             : nullptr;
}

}  // namespace chimera::core
