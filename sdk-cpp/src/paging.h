// What calls that answer in pages have in common.
#ifndef CHIMERA_SDK_CPP_SRC_PAGING_H_
#define CHIMERA_SDK_CPP_SRC_PAGING_H_

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/pages.h"
#include "sdk-cpp/src/client_state.h"

namespace chimera::sdk {

inline void check_page_size(int size, std::string_view doing) {
  if (size < 0)
    throw std::invalid_argument(absl::StrCat(std::string(doing), ": a page of ", size, " items"));
}

// `request` for a page of at most so many items, from this token on.
template <class Request>
void ask_page(Request& request, int size, const std::string& token) {
  if constexpr (requires { request.set_maximum_page_size(size); }) {
    request.set_maximum_page_size(size);
  } else {
    request.set_page_size(size);
  }
  request.set_next_page_token(token);
}

// The range of a call whose pages have `items(response)`, each of which `make` turns into a T. It
// shares the client.
template <class T, class Response, class Request, class Items, class Make>
PagedRange<T> paged(detail::ClientState& client, std::string doing, std::string_view method,
                    Request request, const ListOptions& options, Items items, Make make) {
  check_page_size(options.page_size, doing);
  return PagedRange<T>(
      [client = client.shared_from_this(), doing = std::move(doing), method,
       request = std::move(request), items, make](int size, const std::string& token) mutable {
        ask_page(request, size, token);
        Response response;
        client->must(doing, method, request, response);
        typename PagedRange<T>::Page page{.items = {}, .next_token = response.next_page_token()};
        for (const auto& each : items(response)) page.items.push_back(make(*client, each));
        return page;
      },
      options);
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_PAGING_H_
