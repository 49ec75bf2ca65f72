// Archivist, the thread that reads and writes an archive, so that the loop waits for no disk. It
// does one thing after the other, in order. Tasks are dropped when it ends.
#ifndef CHIMERA_SERVER_ARCHIVAL_ARCHIVIST_H_
#define CHIMERA_SERVER_ARCHIVAL_ARCHIVIST_H_

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/functional/any_invocable.h"

#include "server/archival/history_file.h"

namespace chimera::server::archival {

class Archivist {
 public:
  using Task = absl::AnyInvocable<void(HistoryReader&)>;

  // Not `apart`: a task is done inside of post(). The thread is made when it is first needed.
  explicit Archivist(bool apart) : apart_(apart) {}
  ~Archivist();  // After the task under way.

  void post(Task task);  // Of one thread, which is not this one.

 private:
  void run();

  const bool apart_;
  HistoryReader reader_;  // Of who does the tasks.

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_ARCHIVIST_H_
