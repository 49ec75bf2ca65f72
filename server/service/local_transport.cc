#include "server/service/local_transport.h"

#include <thread>
#include <typeinfo>

#include "server/base/parse.h"
#include "server/service/texts.h"

namespace chimera::server {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageLite;

class InFlight : public base::RpcInFlight {
 public:
  InFlight(std::shared_ptr<Dispatcher> dispatcher, CallPtr call)
      : dispatcher_(std::move(dispatcher)), call_(std::move(call)) {}
  void cancel() override {
    if (call_ != nullptr) dispatcher_->cancel(call_);
  }

 private:
  const std::shared_ptr<Dispatcher> dispatcher_;
  const CallPtr call_;  // Null: the call never began.
};

class LocalTransport : public base::Transport {
 public:
  explicit LocalTransport(std::shared_ptr<Dispatcher> dispatcher)
      : dispatcher_(std::move(dispatcher)) {}

  std::shared_ptr<base::RpcInFlight> start(base::RpcCall rpc) override {
    auto call = std::make_shared<Call>();
    if (absl::Status status = fill(rpc, *call); !status.ok()) {
      std::thread([done = std::move(rpc.done), status = std::move(status)]() mutable {
        std::move(done)(std::move(status));
      }).detach();
      return std::make_shared<InFlight>(dispatcher_, nullptr);
    }
    dispatcher_->submit(call);
    return std::make_shared<InFlight>(dispatcher_, std::move(call));
  }

 private:
  absl::Status fill(base::RpcCall& rpc, Call& call) const {
    const std::string path(rpc.method);
    call.method = service_methods().find(path);
    if (call.method == nullptr) return absl::UnimplementedError(service_methods().refusal(path));
    call.request.reset(call.method->request->New());
    if (const auto* message = std::get_if<const MessageLite*>(&rpc.request)) {
      const MessageLite& given = **message;
      if (typeid(given) != typeid(*call.request)) {
        return absl::InternalError(absl::StrCat(path, " does not take a ", given.GetTypeName()));
      }
      call.request->CheckTypeAndMergeFrom(given);
      if (dispatcher_->keeps_all()) {
        // A file with such a text could not be read back.
        const std::string field = find_bad_text(*call.request);
        if (!field.empty()) {
          return absl::InvalidArgumentError(
              absl::StrCat("the text of ", field, " in the request of ", path, " is not UTF-8"));
        }
      }
    } else if (!parse_deep(std::get<std::string>(rpc.request), *call.request)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the request of ", path, " is not a valid message"));
    }
    for (const auto& [key, value] : rpc.metadata) {
      if (key == kSupportedFeatures) call.follows_runs |= follows_runs(value);
      if (key == kClientName) call.reads_unwritten = reads_unwritten(value);
    }
    call.timeout = rpc.timeout;
    if (auto* message = std::get_if<MessageLite*>(&rpc.response)) {
      call.response = *message;
      call.response->Clear();
      call.deliver = std::move(rpc.done);
      return absl::OkStatus();
    }
    call.owned_response.reset(call.method->response->New());
    call.response = call.owned_response.get();
    call.deliver = [done = std::move(rpc.done), bytes = std::get<std::string*>(rpc.response),
                    response = call.response](absl::Status status) mutable {
      if (status.ok()) response->SerializeToString(bytes);
      std::move(done)(std::move(status));
    };
    return absl::OkStatus();
  }

  const std::shared_ptr<Dispatcher> dispatcher_;
};

}  // namespace

std::shared_ptr<base::Transport> make_local_transport(std::shared_ptr<Dispatcher> dispatcher) {
  return std::make_shared<LocalTransport>(std::move(dispatcher));
}

}  // namespace chimera::server
