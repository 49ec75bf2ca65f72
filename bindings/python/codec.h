// Codec, a codec of the core as Python holds it: for Python's own payloads and for native
// libraries.
#ifndef CHIMERA_BINDINGS_PYTHON_CODEC_H_
#define CHIMERA_BINDINGS_PYTHON_CODEC_H_

#include <memory>

#include "bindings/python/convert.h"
#include "core/converter/codec.h"

namespace chimera::bindings {

namespace py = pybind11;

// Immutable; any thread. Shares the codec with the workers that it was given to.
class Codec {
 public:
  explicit Codec(std::shared_ptr<const core::PayloadCodec> codec) : codec_(std::move(codec)) {}
  // `keys` maps an id to a key of 32 bytes. ValueError says what is wrong with them.
  static Codec aes_gcm(const Text& key_id, const py::dict& keys);
  static Codec redaction(const std::vector<Text>& fields, const Text& key_id, const py::dict& keys);

  const std::shared_ptr<const core::PayloadCodec>& core() const { return codec_; }
  // Serialized Payloads in and out. Work without the GIL.
  py::bytes encode(const py::bytes& payloads) const;
  py::bytes decode(const py::bytes& payloads) const;

 private:
  std::shared_ptr<const core::PayloadCodec> codec_;
};

void define_codec(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_CODEC_H_
