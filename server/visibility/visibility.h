// Visibility, a server's executions as lists and counts see them: takes what changed of them, and
// answers queries, on a thread of its own, which is made when first needed. A query sees every
// change that came before it. put(), erase(), list() and count(): one thread, the loop's.
#ifndef CHIMERA_SERVER_VISIBILITY_VISIBILITY_H_
#define CHIMERA_SERVER_VISIBILITY_VISIBILITY_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "server/visibility/entry.h"
#include "server/visibility/query.h"

namespace chimera::server::visibility {

class IndexReader;

class Visibility {
 public:
  // On the thread that answers. The destructor drops what has not begun, and stops what has.
  using Listed = absl::AnyInvocable<void(absl::StatusOr<Page>) &&>;
  using Counted = absl::AnyInvocable<void(absl::StatusOr<Count>) &&>;

  // Without a filename the index is in memory. One in a file is written by the file's owner
  // together with the rest of it: nothing is put or erased here, and a query sees what was
  // committed before it came. Without a thread (`apart` false, for simulations) queries are
  // answered inside the call.
  explicit Visibility(bool apart = true, std::string filename = "");
  ~Visibility();

  // Replaces what there is of that run. Changes wait for others, so that a run that starts and
  // closes soon is written once.
  void put(Entry entry);
  void erase(const std::string& run_id);
  // `after`: the place of the row before the first.
  void list(std::string namespace_id, Query query, int size, std::optional<Place> after,
            Listed done);
  void count(std::string namespace_id, Query query, Counted done);

 private:
  class Tables;
  // By run id; none: it is gone.
  using Changes = absl::flat_hash_map<std::string, std::optional<Entry>>;
  using Task = absl::AnyInvocable<void(absl::StatusOr<IndexReader*>) &&>;

  void change(std::string run_id, std::optional<Entry> entry);
  void ask(Task task);
  void wake();
  void run();
  void work(Changes changes, std::vector<Task> tasks);

  const bool apart_;
  const std::string filename_;      // Empty: in memory.
  std::unique_ptr<Tables> tables_;  // Made when first needed, by who answers.

  std::mutex mutex_;
  std::condition_variable wake_;
  Changes changes_;
  std::vector<Task> tasks_;
  std::atomic<bool> stopping_ = false;  // Set under the mutex.
  std::thread thread_;
};

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_VISIBILITY_H_
