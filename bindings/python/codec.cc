#include "bindings/python/codec.h"

#include <utility>

#include <pybind11/stl.h>

#include "bindings/python/convert.h"
#include "bindings/python/errors.h"
#include "bindings/python/gil.h"
#include "core/converter/aes_gcm_codec.h"
#include "core/converter/redaction.h"

namespace chimera::bindings {
namespace {

using Step = absl::Status (core::PayloadCodec::*)(api::common::v1::Payloads&) const;

py::bytes apply(const core::PayloadCodec& codec, Step step, const py::bytes& payloads) {
  api::common::v1::Payloads message;
  parse(payloads, message, "Payloads");
  absl::Status status = [&] {
    GilReleased released;
    return (codec.*step)(message);
  }();
  throw_if_error(status);
  return serialize(message);
}

core::AesKeys copied(const py::dict& keys) {
  core::AesKeys copies;
  for (const auto& [id, key] : keys) copies.emplace(utf8(id), std::string(view(key)));
  return copies;
}

}  // namespace

Codec Codec::aes_gcm(const Text& key_id, const py::dict& keys) {
  auto codec = core::AesGcmCodec::create(key_id.value, copied(keys));
  throw_if_error(codec.status());
  return Codec(*std::move(codec));
}

Codec Codec::redaction(const std::vector<Text>& fields, const Text& key_id, const py::dict& keys) {
  std::vector<std::string> names;
  for (const Text& field : fields) names.push_back(field.value);
  auto codec = core::RedactionCodec::create(names, key_id.value, copied(keys));
  throw_if_error(codec.status());
  return Codec(*std::move(codec));
}

py::bytes Codec::encode(const py::bytes& payloads) const {
  return apply(*codec_, &core::PayloadCodec::encode, payloads);
}

py::bytes Codec::decode(const py::bytes& payloads) const {
  return apply(*codec_, &core::PayloadCodec::decode, payloads);
}

void define_codec(py::module_& module) {
  py::class_<Codec>(module, "Codec")
      .def_static("aes_gcm", &Codec::aes_gcm, py::arg("key_id"), py::arg("keys"))
      .def_static("redaction", &Codec::redaction, py::arg("fields"), py::arg("key_id"),
                  py::arg("keys"))
      .def_static(
          "encoding_common_attributes",
          [](const Codec* codec) {
            return Codec(
                core::encoding_common_attributes(codec == nullptr ? nullptr : codec->core()));
          },
          py::arg("codec"))
      .def("encode", &Codec::encode, py::arg("payloads"))
      .def("decode", &Codec::decode, py::arg("payloads"));
}

}  // namespace chimera::bindings
