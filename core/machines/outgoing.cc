#include "core/machines/outgoing.h"

#include <algorithm>
#include <utility>

#include "core/base/arena.h"

namespace chimera::core {

using api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;

void Outgoing::drop(MachineKind kind, std::uint32_t seq) {
  for (std::size_t i = head_; i < commands_.size(); ++i) {
    OutgoingCommand& command = commands_[i];
    if (command.kind == kind && command.seq == seq && !command.sent) {
      command.dropped = true;
      command.command.reset();
    }
  }
}

std::vector<const OutgoingCommand*> Outgoing::waiting() const {
  std::vector<const OutgoingCommand*> waiting;
  for (std::size_t i = head_; i < commands_.size(); ++i) {
    if (!commands_[i].dropped) waiting.push_back(&commands_[i]);
  }
  return waiting;
}

void Outgoing::terminal_last() {
  for (std::size_t i = head_; i + 1 < commands_.size(); ++i) {
    if (commands_[i].kind == MachineKind::kEnd) std::swap(commands_[i], commands_[i + 1]);
  }
}

google::protobuf::Arena& Outgoing::arena() {
  if (!arena_) arena_ = base::make_arena();
  return *arena_;
}

std::shared_ptr<RespondWorkflowTaskCompletedRequest> Outgoing::send() {
  std::shared_ptr<RespondWorkflowTaskCompletedRequest> request;
  if (const auto arena = std::exchange(arena_, nullptr)) {
    request = {arena, google::protobuf::Arena::CreateMessage<RespondWorkflowTaskCompletedRequest>(
                          arena.get())};
  } else {  // A small one is made faster without.
    request = std::make_shared<RespondWorkflowTaskCompletedRequest>();
  }
  for (std::size_t i = head_; i < commands_.size(); ++i) {
    OutgoingCommand& command = commands_[i];
    command.sent = true;
    if (command.command) request->mutable_commands()->AddAllocated(command.command.release());
  }
  return request;
}

std::size_t Outgoing::unsent() const {
  return static_cast<std::size_t>(std::count_if(commands_.begin(), commands_.end(),
                                                [](const auto& each) { return !each.sent; }));
}

void Outgoing::compact() {
  if (head_ == commands_.size()) {
    commands_.clear();
    head_ = 0;
  }
}

}  // namespace chimera::core
