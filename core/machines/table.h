// Transition tables: [state][event] -> {next, action}, built at compile time from rows that read as
// documentation. A machine is a struct with enums State, Event and Action (each ends in kCount) and
// a kTable of this type; whoever owns it carries the action out. What no row lists is not allowed:
// history and code then disagree.
#ifndef CHIMERA_CORE_MACHINES_TABLE_H_
#define CHIMERA_CORE_MACHINES_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace chimera::core {

template <class State, class Event, class Action>
class Table {
 public:
  struct Row {
    State state;
    Event event;
    State next;
    Action action;
  };
  struct Cell {
    State next{};
    Action action{};
    bool allowed = false;
  };

  template <std::size_t N>
  constexpr explicit Table(const Row (&rows)[N]) {
    for (const Row& row : rows)
      cells_[index(row.state)][index(row.event)] = {row.next, row.action, true};
  }
  constexpr const Cell& at(State state, Event event) const {
    return cells_[index(state)][index(event)];
  }

  // Makes the transition. False, and nothing changes, where no row allows it.
  constexpr bool advance(State& state, Event event, Action& action) const {
    const Cell& cell = at(state, event);
    if (!cell.allowed) return false;
    state = cell.next;
    action = cell.action;
    return true;
  }

 private:
  template <class Enum>
  static constexpr std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }
  std::array<std::array<Cell, static_cast<std::size_t>(Event::kCount)>,
             static_cast<std::size_t>(State::kCount)>
      cells_{};
};

namespace table_internal {

// The enumerator's own word, from what the compiler calls this function ("... V =
// chimera::core::X::State::kDone ...").
template <auto V>
constexpr std::string_view enumerator() {
  std::string_view name = __PRETTY_FUNCTION__;
  name = name.substr(0, name.find_first_of(";]", name.find("V = ")));
  return name.substr(name.rfind(':') + 2);  // Without the k.
}
template <class Enum, std::size_t... I>
constexpr auto names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{enumerator<static_cast<Enum>(I)>()...};
}

}  // namespace table_internal

// "CancelCommanded" for kCancelCommanded.
template <class Enum>
std::string enum_name(Enum value) {
  constexpr auto kNames = table_internal::names<Enum>(
      std::make_index_sequence<static_cast<std::size_t>(Enum::kCount)>());
  return std::string(kNames[static_cast<std::size_t>(value)]);
}

// A line for each row, in order of states and events.
template <class State, class Event, class Action>
std::string print_table(const Table<State, Event, Action>& table) {
  std::string text;
  for (std::size_t s = 0; s < static_cast<std::size_t>(State::kCount); ++s) {
    for (std::size_t e = 0; e < static_cast<std::size_t>(Event::kCount); ++e) {
      const auto& cell = table.at(static_cast<State>(s), static_cast<Event>(e));
      if (!cell.allowed) continue;
      text.append(enum_name(static_cast<State>(s)))
          .append(" + ")
          .append(enum_name(static_cast<Event>(e)));
      text.append(" -> ")
          .append(enum_name(cell.next))
          .append(": ")
          .append(enum_name(cell.action))
          .append("\n");
    }
  }
  return text;
}

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_TABLE_H_
