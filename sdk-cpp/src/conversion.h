// Conversion, what a client's options say of values: codec and failure converter, and whose values
// they are. Made once for what has a context of its own: a run, an attempt, a call.
#ifndef CHIMERA_SDK_CPP_SRC_CONVERSION_H_
#define CHIMERA_SDK_CPP_SRC_CONVERSION_H_

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

#include "chimera/failure_converter.h"
#include "chimera/serialization_context.h"
#include "core/converter/codec.h"

namespace chimera::sdk {

// Whose values; written out when somebody asks. Borrows what the parts name. Any thread.
class ValueContext {
 public:
  explicit ValueContext(const core::PayloadContext& parts) : parts_(parts) {}
  ~ValueContext() { delete written_.load(std::memory_order_acquire); }
  ValueContext(const ValueContext&) = delete;
  ValueContext& operator=(const ValueContext&) = delete;

  const core::PayloadContext& parts() const { return parts_; }
  const SerializationContext& written() const;

 private:
  const core::PayloadContext parts_;
  mutable std::atomic<const SerializationContext*> written_{nullptr};
};

// Whose values this thread converts; null: nobody's. Returns what it was before.
const ValueContext* set_converting(const ValueContext* context) noexcept;
// As long as it lives.
class Converting {
 public:
  explicit Converting(const ValueContext* context) : before_(set_converting(context)) {}
  ~Converting() { set_converting(before_); }
  Converting(const Converting&) = delete;
  Converting& operator=(const Converting&) = delete;

 private:
  const ValueContext* const before_;
};

// A small value: copies share what it holds. Any thread.
class Codec {
 public:
  Codec() = default;  // None, as null.
  Codec(std::nullptr_t) {}
  template <class T>
  Codec(std::shared_ptr<T> payloads, std::shared_ptr<const FailureConverter> failures = nullptr)
      : all_(std::move(payloads)), payloads_(all_), failures_(std::move(failures)) {}

  // For those values; the context is borrowed. Throws ConversionError.
  Codec in(const ValueContext& context) const;

  const core::PayloadCodec* payloads() const { return payloads_.get(); }  // Null: none.
  const std::shared_ptr<const core::PayloadCodec>& of_all() const { return all_; }
  const ValueContext* context() const { return context_; }  // Null: none is known.

  // As the failure converter has them: what an exception is sent as, and what is thrown for one
  // that came. What the converter throws is its answer. Never null.
  std::exception_ptr to_failure(std::exception_ptr error) const {
    return failures_ == nullptr ? error : convert(&FailureConverter::to_failure, std::move(error));
  }
  std::exception_ptr from_failure(std::exception_ptr error) const {
    return failures_ == nullptr ? error
                                : convert(&FailureConverter::from_failure, std::move(error));
  }
  bool converts_failures() const { return failures_ != nullptr; }

 private:
  using Direction = std::exception_ptr (FailureConverter::*)(std::exception_ptr) const;
  std::exception_ptr convert(Direction direction, std::exception_ptr error) const;

  std::shared_ptr<const core::PayloadCodec> all_;  // Whatever the context.
  std::shared_ptr<const core::PayloadCodec> payloads_;
  std::shared_ptr<const FailureConverter> failures_;
  const ValueContext* context_ = nullptr;
};

// The codec for some values, together with their context.
class CodecIn {
 public:
  CodecIn(const Codec& codec, const core::PayloadContext& parts)
      : context_(parts), codec_(codec.in(context_)) {}
  operator const Codec&() const { return codec_; }

 private:
  const ValueContext context_;
  const Codec codec_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CONVERSION_H_
