// The store of a server without a file: it keeps what has closed, as bytes.
#include <cstring>
#include <set>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include <malloc.h>

#include "server/store/store.h"

namespace chimera::server {
namespace {

// A closed run. Batches lie one behind another, each behind its size.
struct Kept {
  std::uint64_t number = 0;
  absl::string_view namespace_id;  // Of the store's names.
  std::string run_id, workflow_id, side, batches;
  std::vector<WriteBatch::RunRow> rows;
  std::int64_t closed = 0;
  Kept *older = nullptr, *younger = nullptr;  // Of the same workflow id.
};

void append(std::string& batches, const std::string& history) {
  const auto size = static_cast<std::uint32_t>(history.size());
  batches.append(reinterpret_cast<const char*>(&size), sizeof size);
  batches.append(history);
}

std::vector<std::string> split(absl::string_view batches) {
  std::vector<std::string> result;
  while (!batches.empty()) {
    std::uint32_t size = 0;
    std::memcpy(&size, batches.data(), sizeof size);
    batches.remove_prefix(sizeof size);
    result.emplace_back(batches.substr(0, size));
    batches.remove_prefix(size);
  }
  return result;
}

class MemoryStore : public Store {
 public:
  bool durable() const override { return false; }

  void commit(WriteBatch batch, Written written) override {
    note_commit();
    for (auto& record : batch.runs) put(record);
    for (auto& events : batch.events) {
      if (const auto kept = kept_.find(events.run); kept != kept_.end())
        append(kept->second->batches, events.history);
    }
    for (const auto& record : batch.runs) kept_.at(record.number)->batches.shrink_to_fit();
    for (auto& row : batch.rows) {
      const auto kept = kept_.find(row.run);
      if (kept != kept_.end() && !row.erase) kept->second->rows.push_back(std::move(row));
    }
    for (const auto& run : batch.deleted_runs) erase(run.number);
    note_written(1);
    if (written) std::move(written)(absl::OkStatus());
  }

  absl::StatusOr<StoredState> load() override { return StoredState{}; }

  std::optional<StoredRun> read(const std::string& run_id) override {
    const auto found = by_run_id_.find(run_id);
    if (found == by_run_id_.end()) return std::nullopt;
    const Kept& kept = *found->second;
    StoredRun run;
    run.record = {kept.number,      kept.run_id, std::string(kept.namespace_id),
                  kept.workflow_id, kept.closed, kept.side};
    run.batches = split(kept.batches);
    run.rows = kept.rows;
    return run;
  }

  std::optional<Place> newest(const std::string& namespace_id, const std::string& workflow_id,
                              absl::FunctionRef<bool(std::uint64_t)> passed_over) override {
    const auto chain = newest_.find({namespace_id, workflow_id});
    if (chain == newest_.end()) return std::nullopt;
    for (const Kept* kept = chain->second; kept != nullptr; kept = kept->older) {
      if (!passed_over(kept->number)) return Place{kept->number, kept->run_id};
    }
    return std::nullopt;
  }

  std::vector<ClosedRun> first_closed(const std::string& namespace_id, int limit) override {
    std::vector<ClosedRun> result;
    const auto all = by_close_.find(namespace_id);
    if (all == by_close_.end()) return result;
    for (const auto& [closed, number] : all->second) {
      if (static_cast<int>(result.size()) == limit) break;
      result.push_back({number, kept_.at(number)->run_id, closed});
    }
    return result;
  }

 private:
  using Chain = std::pair<absl::string_view, absl::string_view>;

  void put(WriteBatch::RunRecord& record) {
    auto& kept = kept_[record.number];
    if (kept != nullptr) {
      kept->side = std::move(record.side);
      return;
    }
    kept = std::make_unique<Kept>();
    kept->number = record.number;
    kept->namespace_id = *names_.insert(std::move(record.namespace_id)).first;
    kept->run_id = std::move(record.run_id);
    kept->workflow_id = std::move(record.workflow_id);
    kept->side = std::move(record.side);
    kept->closed = record.closed;
    by_run_id_[kept->run_id] = kept.get();
    by_close_[kept->namespace_id].insert({kept->closed, kept->number});
    link(*kept);
  }

  // Runs of one workflow id need not close in the order of their numbers. A chain's key lies in its
  // newest run.
  void link(Kept& kept) {
    const Chain key(kept.namespace_id, kept.workflow_id);
    const auto [chain, fresh] = newest_.try_emplace(key, &kept);
    if (fresh) return;
    Kept* younger = nullptr;
    Kept* older = chain->second;
    for (; older != nullptr && older->number > kept.number; older = older->older) younger = older;
    kept.older = older;
    kept.younger = younger;
    if (older != nullptr) older->younger = &kept;
    if (younger != nullptr) {
      younger->older = &kept;
      return;
    }
    newest_.erase(chain);
    newest_.emplace(key, &kept);
  }

  void unlink(const Kept& kept) {
    if (kept.older != nullptr) kept.older->younger = kept.younger;
    if (kept.younger != nullptr) {
      kept.younger->older = kept.older;
      return;
    }
    newest_.erase(Chain(kept.namespace_id, kept.workflow_id));
    if (Kept* next = kept.older; next != nullptr)
      newest_.emplace(Chain(next->namespace_id, next->workflow_id), next);
  }

  void erase(std::uint64_t number) {
    const auto found = kept_.find(number);
    if (found == kept_.end()) return;  // It was open.
    const Kept& kept = *found->second;
    unlink(kept);
    by_run_id_.erase(kept.run_id);
    auto all = by_close_.find(kept.namespace_id);
    all->second.erase({kept.closed, number});
    kept_.erase(found);
    // The allocator keeps what is freed; of many deletions the system gets it back.
    if (++deleted_ % kTrimAfter != 0) return;
    malloc_trim(0);
  }

  static constexpr std::uint64_t kTrimAfter = 5'000;
  std::set<std::string, std::less<>> names_;  // Of namespaces; few, and they stay.
  absl::flat_hash_map<std::uint64_t, std::unique_ptr<Kept>> kept_;
  absl::flat_hash_map<absl::string_view, Kept*> by_run_id_;
  absl::flat_hash_map<Chain, Kept*> newest_;
  absl::flat_hash_map<absl::string_view, absl::btree_set<std::pair<std::int64_t, std::uint64_t>>>
      by_close_;
  std::uint64_t deleted_ = 0;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace chimera::server
