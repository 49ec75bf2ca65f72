#include "sdk-cpp/src/storage/payload_store.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

#include "core/converter/payload.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/storage/reference.h"

namespace chimera::sdk {
namespace {

// As many as the official SDKs do for a task.
constexpr std::size_t kOperations = 3;

absl::Status failed(std::string_view driver, std::string_view doing, std::size_t payloads,
                    std::string_view why) {
  return absl::InternalError(absl::StrCat(
      "external storage: driver '", std::string(driver), "' could not ", std::string(doing), " ",
      payloads, payloads == 1 ? " payload: " : " payloads: ", std::string(why)));
}

std::string wrong_count(std::string_view what, std::size_t count) {
  return absl::StrCat("it gave ", count, " ", std::string(what));
}

}  // namespace

References::References(google::protobuf::Message& message) {
  core::visit_payloads(message, *this, packed_);
}

void References::visit(const google::protobuf::Message&, const google::protobuf::FieldDescriptor&,
                       std::span<ProtoPayload* const> payloads) {
  for (ProtoPayload* payload : payloads)
    if (core::is_reference(*payload)) payloads_.push_back(payload);
}

struct PayloadStore::Group {
  const Driver* driver;
  StorageTarget target;              // Of what is stored.
  std::vector<std::size_t> indices;  // Into the values at hand.
};

// The operations of one message. Shared by the threads that carry them out.
class PayloadStore::Work {
 public:
  Work(std::shared_ptr<const PayloadStore> store, Done done)
      : store_(std::move(store)), done_(std::move(done)) {}
  virtual ~Work() = default;

  // Puts values into groups.
  virtual absl::Status plan() = 0;
  virtual absl::Status carry_out(const Group& group) = 0;
  // All operations went well.
  virtual void finish() = 0;

  void begin(const std::shared_ptr<Work>& self) {
    if (absl::Status status = guarded([this] { return plan(); }); !status.ok() || groups_.empty())
      return std::move(done_)(std::move(status));
    split();
    left_ = groups_.size();
    const std::size_t threads = std::min(kOperations, groups_.size());
    for (std::size_t i = 1; i < threads; ++i) store_->post([self] { self->some(); });
    some();
  }

 protected:
  // Into the group of this driver and target.
  void add(const Driver& driver, const StorageTarget& target, std::size_t index) {
    for (Group& group : groups_) {
      if (group.driver == &driver && group.target == target) return group.indices.push_back(index);
    }
    groups_.push_back({&driver, target, {index}});
  }
  const PayloadStore& store() const { return *store_; }

 private:
  template <class Function>
  static absl::Status guarded(Function&& function) {
    try {
      return function();
    } catch (...) {
      return absl::InternalError(absl::StrCat("external storage: ", describe_current()));
    }
  }

  // Few groups are taken apart, so that as much goes on at a time as with many.
  void split() {
    const std::size_t parts = kOperations / groups_.size();
    if (parts < 2) return;
    std::vector<Group> all;
    for (const Group& group : groups_) {
      const std::size_t size = group.indices.size(), pieces = std::min(parts, size);
      for (std::size_t i = 0; i < pieces; ++i) {
        const auto at = [&](std::size_t part) {
          return group.indices.begin() + static_cast<std::ptrdiff_t>(size * part / pieces);
        };
        all.push_back({group.driver, group.target, {at(i), at(i + 1)}});
      }
    }
    groups_ = std::move(all);
  }

  // As many operations as there are left to begin.
  void some() {
    for (std::size_t at = next_.fetch_add(1); at < groups_.size(); at = next_.fetch_add(1)) {
      if (!failed_.load()) {
        absl::Status status = guarded([&] { return carry_out(groups_[at]); });
        absl::MutexLock lock(&mutex_);
        if (!status.ok() && !failed_.exchange(true)) status_ = std::move(status);
      }
      if (left_.fetch_sub(1) == 1) end();
    }
  }

  void end() {
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      status = std::move(status_);
    }
    if (status.ok()) status = guarded([this] { return finish(), absl::OkStatus(); });
    std::move(done_)(std::move(status));
  }

  const std::shared_ptr<const PayloadStore> store_;
  Done done_;
  std::vector<Group> groups_;
  std::atomic<std::size_t> next_{0}, left_{0};
  std::atomic<bool> failed_{false};
  absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

class PayloadStore::Storing final : public Work {
 public:
  Storing(std::shared_ptr<const PayloadStore> store, std::vector<ValueToStore> values, Done done)
      : Work(std::move(store), std::move(done)),
        values_(std::move(values)),
        references_(values_.size()) {}

  absl::Status plan() override {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto driver = driver_for(values_[i]);
      if (!driver.ok()) return driver.status();
      if (*driver != nullptr) add(**driver, values_[i].target, i);
    }
    return absl::OkStatus();
  }

  absl::Status carry_out(const Group& group) override {
    std::vector<Payload> payloads;
    payloads.reserve(group.indices.size());
    for (const std::size_t i : group.indices) payloads.push_back(to_public(*values_[i].payload));
    std::vector<StorageClaim> claims;
    try {
      claims = group.driver->driver->store(group.target, payloads);
    } catch (...) {
      return failed(group.driver->name, "store", payloads.size(), describe_current());
    }
    if (claims.size() != payloads.size())
      return failed(group.driver->name, "store", payloads.size(),
                    wrong_count("claims", claims.size()));
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const std::size_t index = group.indices[i];
      references_[index] = to_payload({group.driver->name, std::move(claims[i])},
                                      values_[index].payload->ByteSizeLong());
    }
    return absl::OkStatus();
  }

  void finish() override {
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (references_[i]) values_[i].payload->Swap(&*references_[i]);
  }

 private:
  absl::StatusOr<const Driver*> driver_for(const ValueToStore& value) const {
    const auto& selector = store().storage_.driver_selector;
    if (!selector) return &store().drivers_.front();
    std::shared_ptr<StorageDriver> chosen;
    try {
      chosen = selector(value.target, to_public(*value.payload));
    } catch (...) {
      return absl::InternalError(
          absl::StrCat("external storage: the driver selector failed: ", describe_current()));
    }
    if (chosen == nullptr) return nullptr;
    for (const Driver& driver : store().drivers_)
      if (driver.driver == chosen) return &driver;
    return absl::InternalError(
        absl::StrCat("external storage: the driver selector chose driver '", chosen->name(),
                     "', which is none of ExternalStorage::drivers: ", store().names()));
  }

  const std::vector<ValueToStore> values_;
  std::vector<std::optional<ProtoPayload>> references_;
};

class PayloadStore::Retrieving final : public Work {
 public:
  Retrieving(std::shared_ptr<const PayloadStore> store, std::vector<ProtoPayload*> references,
             Done done)
      : Work(std::move(store), std::move(done)),
        references_(std::move(references)),
        claims_(references_.size()),
        payloads_(references_.size()) {}

  absl::Status plan() override {
    for (std::size_t i = 0; i < references_.size(); ++i) {
      auto reference = read_reference(*references_[i], store().codec_);
      if (!reference.ok()) return reference.status();
      const Driver* driver = store().find(reference->driver);
      if (driver == nullptr) {
        return absl::FailedPreconditionError(
            absl::StrCat("external storage: a payload was stored by driver '", reference->driver,
                         "', which is none of ExternalStorage::drivers: ", store().names()));
      }
      claims_[i] = std::move(reference->claim);
      add(*driver, {}, i);
    }
    return absl::OkStatus();
  }

  absl::Status carry_out(const Group& group) override {
    std::vector<StorageClaim> claims;
    for (const std::size_t i : group.indices) claims.push_back(claims_[i]);
    std::vector<Payload> payloads;
    try {
      payloads = group.driver->driver->retrieve(claims);
    } catch (...) {
      return failed(group.driver->name, "retrieve", claims.size(), describe_current());
    }
    if (payloads.size() != claims.size())
      return failed(group.driver->name, "retrieve", claims.size(),
                    wrong_count("payloads", payloads.size()));
    for (std::size_t i = 0; i < payloads.size(); ++i)
      payloads_[group.indices[i]] = std::move(payloads[i]);
    return absl::OkStatus();
  }

  void finish() override {
    for (std::size_t i = 0; i < references_.size(); ++i) *references_[i] = to_proto(payloads_[i]);
  }

 private:
  const std::vector<ProtoPayload*> references_;
  std::vector<StorageClaim> claims_;
  std::vector<Payload> payloads_;
};

std::shared_ptr<PayloadStore> PayloadStore::make(const ExternalStorage& storage, Codec codec,
                                                 std::string_view option) {
  const auto refuse = [&](const std::string& why) {
    throw std::invalid_argument(absl::StrCat(std::string(option), why));
  };
  if (storage.drivers.empty()) {
    if (storage.driver_selector) refuse(" has a driver_selector and no drivers");
    return nullptr;
  }
  std::vector<Driver> drivers;
  for (const auto& driver : storage.drivers) {
    if (driver == nullptr) refuse("::drivers has a null one");
    std::string name = driver->name();
    if (name.empty()) refuse("::drivers has one without a name");
    for (const Driver& other : drivers) {
      if (other.name == name)
        refuse(absl::StrCat("::drivers has two of the name '", name,
                            "'; references would not tell them apart"));
    }
    drivers.push_back({std::move(name), driver});
  }
  if (drivers.size() > 1 && !storage.driver_selector)
    refuse(" has several drivers and no driver_selector");
  return std::shared_ptr<PayloadStore>(
      new PayloadStore(storage, std::move(codec), std::move(drivers)));
}

const PayloadStore::Driver* PayloadStore::find(const std::string& name) const {
  const auto found = std::ranges::find(drivers_, name, &Driver::name);
  return found == drivers_.end() ? nullptr : &*found;
}

std::string PayloadStore::names() const {
  return absl::StrJoin(drivers_, ", ", [](std::string* out, const Driver& each) {
    absl::StrAppend(out, "'", each.name, "'");
  });
}

void PayloadStore::run(std::shared_ptr<Work> work) { work->begin(work); }

void PayloadStore::store(std::vector<ValueToStore> values, Done done) {
  post([work = std::make_shared<Storing>(shared_from_this(), std::move(values), std::move(done))] {
    run(work);
  });
}

void PayloadStore::retrieve(std::vector<ProtoPayload*> references, Done done) {
  post([work = std::make_shared<Retrieving>(shared_from_this(), std::move(references),
                                            std::move(done))] { run(work); });
}

absl::Status PayloadStore::retrieve_all(google::protobuf::Message& message) {
  References references(message);
  if (references.payloads().empty()) return absl::OkStatus();
  absl::Status result;
  absl::Notification ready;
  retrieve(references.payloads(), [&](absl::Status status) {
    result = std::move(status);
    ready.Notify();
  });
  ready.WaitForNotification();
  if (result.ok()) references.put_back();
  return result;
}

}  // namespace chimera::sdk
