// Inbox, what other threads leave for one thread: push from anywhere without a lock, take
// everything at once, in order. The owner sleeps on it when there is nothing.
#ifndef CHIMERA_CORE_BASE_INBOX_H_
#define CHIMERA_CORE_BASE_INBOX_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chimera::base {

using Work = absl::AnyInvocable<void() &&>;

class Inbox {
 public:
  Inbox() = default;
  ~Inbox() {
    for (Node* node = head_.exchange(nullptr); node != nullptr;)
      delete std::exchange(node, node->next);
  }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Any thread.
  void push(Work work) {
    auto* node = new Node{std::move(work), nullptr};
    node->next = head_.load(std::memory_order_relaxed);
    // Sequentially consistent, as in wait(): either the owner sees this node or we see it sleep.
    while (!head_.compare_exchange_weak(node->next, node, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
    }
    if (sleeps_.load(std::memory_order_seq_cst) != 0 && sleeps_.exchange(0) != 0)
      syscall(SYS_futex, &sleeps_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  // Owner only. Runs what is there, oldest first; false when there was nothing.
  bool run_all() {
    Node* newest = head_.exchange(nullptr, std::memory_order_acquire);
    if (newest == nullptr) return false;
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    while (oldest != nullptr) {
      std::unique_ptr<Node> node(std::exchange(oldest, oldest->next));
      std::move(node->work)();
    }
    return true;
  }

  // Owner only. Returns when there is something. A futex of our own: std::atomic's wait spins and
  // yields first, which costs a few percent of a busy worker.
  void wait() {
    while (head_.load(std::memory_order_acquire) == nullptr) {
      sleeps_.store(1, std::memory_order_seq_cst);
      if (head_.load(std::memory_order_seq_cst) == nullptr)
        syscall(SYS_futex, &sleeps_, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
      sleeps_.store(0, std::memory_order_relaxed);
    }
  }

 private:
  struct Node {
    Work work;
    Node* next;
  };
  std::atomic<Node*> head_{nullptr};  // Newest first.
  std::atomic<std::uint32_t> sleeps_{0};
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_INBOX_H_
