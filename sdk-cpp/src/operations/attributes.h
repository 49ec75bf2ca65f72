// Fields that commands of several kinds have alike.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_ATTRIBUTES_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_ATTRIBUTES_H_

#include <utility>

#include "chimera/options.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

template <class Attributes>
void set_input(Attributes& attributes, detail::Arguments arguments, const Codec& codec,
               api::common::v1::Header&& header) {
  if (!arguments.empty()) *attributes.mutable_input() = encode_arguments(arguments, codec);
  if (header.fields_size() > 0) *attributes.mutable_header() = std::move(header);
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_ATTRIBUTES_H_
