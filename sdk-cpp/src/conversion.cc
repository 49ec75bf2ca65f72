#include "sdk-cpp/src/conversion.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "chimera/payload.h"
#include "sdk-cpp/src/codec.h"
#include "sdk-cpp/src/errors.h"

namespace chimera {
namespace sdk {
namespace {

thread_local const ValueContext* converting = nullptr;

// Scopes and runs end by what is_cancelled() says.
bool ends_as_cancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return is_cancelled(thrown);
  } catch (...) {
    return false;
  }
}

}  // namespace

const SerializationContext& ValueContext::written() const {
  const SerializationContext* written = written_.load(std::memory_order_acquire);
  if (written != nullptr) return *written;
  auto fresh = std::make_unique<const SerializationContext>(to_public(parts_));
  if (!written_.compare_exchange_strong(written, fresh.get(), std::memory_order_acq_rel))
    return *written;  // Another thread was quicker.
  return *fresh.release();
}

const ValueContext* set_converting(const ValueContext* context) noexcept {
  return std::exchange(converting, context);
}

Codec Codec::in(const ValueContext& context) const {
  Codec out = *this;
  out.context_ = &context;
  if (all_ == nullptr) return out;
  auto own = all_->in(context.parts());
  if (!own.ok()) throw ConversionError(std::string(own.status().message()));
  out.payloads_ = *own == nullptr ? all_ : *std::move(own);
  return out;
}

std::exception_ptr Codec::convert(Direction direction, std::exception_ptr error) const {
  const Converting converting(context_);
  std::exception_ptr converted;
  try {
    converted = ((*failures_).*direction)(error);
    if (converted == nullptr) throw ConversionError("the failure converter gave a null exception");
  } catch (...) {
    converted = std::current_exception();
  }
  if (converted != error && ends_as_cancelled(error) && !ends_as_cancelled(converted)) return error;
  return converted;
}

}  // namespace sdk

const SerializationContext* serialization_context() {
  return sdk::converting == nullptr ? nullptr : &sdk::converting->written();
}

}  // namespace chimera
