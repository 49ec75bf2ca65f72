#include "server/loop/outbox.h"

#include <utility>

namespace chimera::server {

Outbox::~Outbox() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (courier_.joinable()) courier_.join();
}

void Outbox::run_follow_ups() {
  while (!follow_ups_.empty()) {
    auto task = std::move(follow_ups_.front());
    follow_ups_.pop_front();
    task();
  }
}

void Outbox::finish(const CallPtr& call, absl::Status status) {
  if (call->finished) return;
  call->finished = true;
  open_calls_.erase(call);
  call->on_cancel = nullptr;
  answers_.push_back({call, std::move(status)});
}

void Outbox::deliver(Answers& answers, const absl::Status& written) {
  for (Answer& answer : answers) {
    // What it holds ends with it, not with the call.
    auto deliver = std::move(answer.call->deliver);
    std::move(deliver)(answer.status.ok() ? written : answer.status);
  }
}

void Outbox::flush(WriteBatch changes, bool elsewhere) {
  if (answers_.empty() && changes.empty()) return;
  if (store_.durable()) {
    store_.commit(std::move(changes),
                  [answers = std::exchange(answers_, {})](const absl::Status& written) mutable {
                    deliver(answers, written);
                  });
    return;
  }
  if (!changes.empty()) store_.commit(std::move(changes), {});
  if (elsewhere) {
    hand_to_courier(std::exchange(answers_, {}));
  } else {
    sending_.swap(answers_);  // Both keep their room for the next turn.
    deliver(sending_, absl::OkStatus());
    sending_.clear();
  }
}

void Outbox::hand_to_courier(Answers answers) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    wake = to_carry_.empty();
    to_carry_.push_back(std::move(answers));
  }
  if (!courier_.joinable()) courier_ = std::thread([this] { carry(); });
  if (wake) wake_.notify_one();
}

void Outbox::carry() {
  std::vector<Answers> carried;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !to_carry_.empty(); });
      if (to_carry_.empty()) return;
      carried.swap(to_carry_);
    }
    for (Answers& answers : carried) deliver(answers, absl::OkStatus());
    carried.clear();
  }
}

}  // namespace chimera::server
