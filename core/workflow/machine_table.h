// MachineTable, the machines that a run has under way: by kind and number, and by the event that
// began what they stand for. Lane thread.
#ifndef CHIMERA_CORE_WORKFLOW_MACHINE_TABLE_H_
#define CHIMERA_CORE_WORKFLOW_MACHINE_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "core/machines/machines.h"

namespace chimera::core {

class MachineTable {
 public:
  using Map = absl::flat_hash_map<std::uint64_t, Machine>;
  using At = Map::iterator;

  // False: the number is taken. The machine is of the kind that Machine has at this index, unless
  // the number is taken.
  template <int kIndex>
  std::pair<At, bool> add(std::uint32_t seq) {
    using M = std::variant_alternative_t<static_cast<std::size_t>(kIndex), Machine>;
    const auto added = machines_.try_emplace(key_of(kind_of(kIndex), seq), std::in_place_type<M>);
    M& machine = std::get<M>(added.first->second);
    machine.kind = kind_of(kIndex);
    machine.seq = seq;
    return added;
  }
  At find(MachineKind kind, std::uint32_t seq) { return machines_.find(key_of(kind, seq)); }
  Map::const_iterator find(MachineKind kind, std::uint32_t seq) const {
    return machines_.find(key_of(kind, seq));
  }
  At end() { return machines_.end(); }
  Map::const_iterator end() const { return machines_.end(); }
  // The event confirms the command that the machine began with.
  void began(At machine, std::int64_t event_id) {
    base_of(machine->second).began = event_id;
    by_event_[event_id] = machine->first;
  }
  At by_event(std::int64_t began) {
    const auto found = by_event_.find(began);
    return found == by_event_.end() ? machines_.end() : machines_.find(found->second);
  }
  void erase(At machine) {
    if (const std::int64_t began = base_of(machine->second).began; began != 0)
      by_event_.erase(began);
    machines_.erase(machine);
  }
  // Later events of what this event began say nothing: it ended early here.
  void swallow(std::int64_t began) {
    swallow_.insert(began);
    by_event_.erase(began);
  }
  // Whether that is so for an event; `ends`: it is the last one.
  bool swallows(std::int64_t began, bool ends) {
    const auto found = swallow_.find(began);
    if (found == swallow_.end()) return false;
    if (ends) swallow_.erase(found);
    return true;
  }

  // Null if there is none of this number.
  LocalActivityMachine* local(std::uint32_t seq) {
    const auto found = find(kind_of(kLocalIndex), seq);
    return found == end() ? nullptr : &std::get<LocalActivityMachine>(found->second);
  }
  std::vector<std::uint32_t> local_seqs() const {
    std::vector<std::uint32_t> seqs;
    for (const auto& [key, machine] : machines_) {
      if (const auto* one = std::get_if<LocalActivityMachine>(&machine)) seqs.push_back(one->seq);
    }
    std::sort(seqs.begin(), seqs.end());
    return seqs;
  }
  void erase_local(std::uint32_t seq) { machines_.erase(key_of(kind_of(kLocalIndex), seq)); }

  std::size_t memory_bytes() const {
    return machines_.capacity() * (sizeof(Map::value_type) + 1) + by_event_.capacity() * 17 +
           swallow_.capacity() * 9;
  }

 private:
  static constexpr int kLocalIndex = kBegins<ScheduleLocalActivity>;

  static std::uint64_t key_of(MachineKind kind, std::uint32_t seq) {
    return static_cast<std::uint64_t>(kind) << 32 | seq;
  }

  Map machines_;
  absl::flat_hash_map<std::int64_t, std::uint64_t> by_event_;
  absl::flat_hash_set<std::int64_t> swallow_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_MACHINE_TABLE_H_
