// PayloadStore, a client's drivers: how payloads get to them and back. Drivers block, so they run
// on threads of its own, a few at a time for each message. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_STORAGE_PAYLOAD_STORE_H_
#define CHIMERA_SDK_CPP_SRC_STORAGE_PAYLOAD_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "google/protobuf/message.h"

#include "chimera/external_storage.h"
#include "core/converter/payload_walk.h"
#include "sdk-cpp/src/call_threads.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

struct ValueToStore {
  ProtoPayload* payload;
  StorageTarget target;
};

// The references in a message; borrowed from it.
class References final : public core::PayloadVisitor {
 public:
  explicit References(google::protobuf::Message& message);
  const std::vector<ProtoPayload*>& payloads() const { return payloads_; }
  void put_back() { packed_.pack(); }  // When payloads are there instead of them.

  void visit(const google::protobuf::Message& owner, const google::protobuf::FieldDescriptor& field,
             std::span<ProtoPayload* const> payloads) override;

 private:
  core::PackedMessages packed_;
  std::vector<ProtoPayload*> payloads_;
};

class PayloadStore : public std::enable_shared_from_this<PayloadStore> {
 public:
  // Runs once, on a thread of the store's and never inside the call.
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  // Null without drivers. Throws std::invalid_argument, which begins with `option`.
  static std::shared_ptr<PayloadStore> make(const ExternalStorage& storage, Codec codec,
                                            std::string_view option);

  // Payloads of so many bytes and more are stored.
  std::size_t threshold() const { return storage_.payload_size_threshold; }
  // Puts references in place of the payloads that a driver takes. Borrowed until `done`; nothing
  // has changed if it fails.
  void store(std::vector<ValueToStore> values, Done done);
  // Puts the payloads in place of their references, likewise.
  void retrieve(std::vector<ProtoPayload*> references, Done done);
  // Those of a whole message, blocking.
  absl::Status retrieve_all(google::protobuf::Message& message);
  void post(std::function<void()> work) const { threads_->run(std::move(work)); }

 private:
  struct Driver {
    std::string name;
    std::shared_ptr<StorageDriver> driver;
  };
  struct Group;  // What goes to one driver in one operation.
  class Work;
  class Storing;
  class Retrieving;

  PayloadStore(const ExternalStorage& storage, Codec codec, std::vector<Driver> drivers)
      : storage_(storage), codec_(std::move(codec)), drivers_(std::move(drivers)) {}
  const Driver* find(const std::string& name) const;
  std::string names() const;
  static void run(std::shared_ptr<Work> work);

  const ExternalStorage storage_;
  const Codec codec_;
  const std::vector<Driver> drivers_;
  const std::shared_ptr<CallThreads> threads_ = std::make_shared<CallThreads>();
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STORAGE_PAYLOAD_STORE_H_
