// The store of a server without a file: effects run at once, on the loop's thread unless that has
// something better to do.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/store/store.h"

namespace chimera::server {
namespace {

class MemoryStore : public Store {
 public:
  ~MemoryStore() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  bool durable() const override { return false; }

  void commit(WriteBatch batch) override {
    if (!batch.effects_elsewhere) return run(batch);
    bool wake;
    {
      std::lock_guard lock(mutex_);
      wake = queue_.empty();
      queue_.push_back(std::move(batch));
    }
    if (!thread_.joinable()) thread_ = std::thread([this] { run_effects(); });
    if (wake) wake_.notify_one();
  }

  absl::StatusOr<StoredState> load() override { return StoredState{}; }

 private:
  static void run(WriteBatch& batch) {
    for (auto& effect : batch.effects) effect(absl::OkStatus());
  }

  void run_effects() {
    std::vector<WriteBatch> batches;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        batches.swap(queue_);
      }
      for (WriteBatch& batch : batches) run(batch);
      batches.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<WriteBatch> queue_;
  bool stopping_ = false;
  std::thread thread_;  // Made when first needed. Loop thread.
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace chimera::server
