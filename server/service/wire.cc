#include "server/service/wire.h"

#include <utility>

namespace chimera::server {
namespace {

// How many calls gRPC may hand over before the first of them is looked at.
constexpr int kAccepting = 32;
// Then the loop looks at its timers again.
constexpr int kEventsAtOnce = 64;

gpr_timespec after(std::chrono::nanoseconds delay) {
  if (delay == std::chrono::nanoseconds::max()) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(delay.count(), GPR_TIMESPAN));
}

}  // namespace

WireCall::WireCall(Wire& wire)
    : wire_(wire),
      arrived_{this, &WireCall::arrived},
      done_{this, &WireCall::done},
      read_{this, &WireCall::has_read},
      written_{this, &WireCall::has_written},
      finished_{this, &WireCall::finished} {
  context_.AsyncNotifyWhenDone(&done_);
  wire.service_.RequestCall(&context_, &stream_, wire.queue_.get(), wire.queue_.get(), &arrived_);
}

void WireCall::arrived(bool ok) {
  if (!ok) {  // The server goes.
    delete this;
    return;
  }
  new WireCall(wire_);
  conversation_ = wire_.answerer_(context_.method());
  conversation_->begin(*this);
}

void WireCall::done(bool) {
  if (context_.IsCancelled()) conversation_->is_cancelled();
  end_one();
}

void WireCall::has_read(bool ok) {
  conversation_->has_read(ok);
  end_one();
}

void WireCall::has_written(bool ok) {
  conversation_->has_written(ok);
  end_one();
}

void WireCall::finished(bool) { end_one(); }

void WireCall::end_one() {
  if (--open_ == 0) delete this;
}

void WireCall::read() {
  ++open_;
  stream_.Read(&bytes_, &read_);
}

void WireCall::write(const grpc::ByteBuffer& bytes) {
  ++open_;
  stream_.Write(bytes, &written_);
}

void WireCall::finish(const grpc::Status& status) { stream_.Finish(status, &finished_); }

void WireCall::write_and_finish(const grpc::ByteBuffer& bytes) {
  stream_.WriteAndFinish(bytes, grpc::WriteOptions(), grpc::Status::OK, &finished_);
}

Wire::Wire(grpc::ServerBuilder& builder, Answerer answerer)
    : answerer_(std::move(answerer)), queue_(builder.AddCompletionQueue()) {
  builder.RegisterAsyncGenericService(&service_);
}

Wire::~Wire() { drain(); }

void Wire::accept() {
  for (int i = 0; i < kAccepting; ++i) new WireCall(*this);
}

void Wire::wait(std::chrono::nanoseconds at_most) {
  void* tag = nullptr;
  bool ok = false;
  gpr_timespec deadline = after(at_most);
  for (int i = 0; i < kEventsAtOnce; ++i) {
    if (queue_->AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return;
    handle(tag, ok);
    deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  }
}

void Wire::wake() {
  if (woken_.exchange(true)) return;
  alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &alarm_);
}

void Wire::handle(void* tag, bool ok) {
  if (tag == &alarm_) {
    woken_ = false;
    return;
  }
  const auto& event = *static_cast<WireCall::Event*>(tag);
  (event.call->*event.then)(ok);
}

void Wire::drain() {
  if (std::exchange(drained_, true)) return;
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) handle(tag, ok);
}

}  // namespace chimera::server
