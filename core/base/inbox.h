// Inbox, what other threads leave for one thread: push from anywhere without a lock, take
// everything at once, in order. The owner sleeps on it when there is nothing.
#ifndef CHIMERA_CORE_BASE_INBOX_H_
#define CHIMERA_CORE_BASE_INBOX_H_

#include <atomic>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"

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
    while (!head_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
    if (node->next == nullptr) head_.notify_one();  // Only an empty inbox has a sleeper.
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

  // Owner only. Returns when there is something.
  void wait() { head_.wait(nullptr, std::memory_order_acquire); }

 private:
  struct Node {
    Work work;
    Node* next;
  };
  std::atomic<Node*> head_{nullptr};  // Newest first.
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_INBOX_H_
