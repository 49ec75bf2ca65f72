// The store of a server without a file: it keeps nothing.
#include "server/store/store.h"

namespace chimera::server {
namespace {

class MemoryStore : public Store {
 public:
  bool durable() const override { return false; }
  void commit(WriteBatch, Written written) override { std::move(written)(absl::OkStatus()); }
  absl::StatusOr<StoredState> load() override { return StoredState{}; }
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace chimera::server
