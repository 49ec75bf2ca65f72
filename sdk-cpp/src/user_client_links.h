// UserClientLinks, the links of a client's interceptors (chimera/interceptor.h), which all views of
// the client with options of single calls share. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_USER_CLIENT_LINKS_H_
#define CHIMERA_SDK_CPP_SRC_USER_CLIENT_LINKS_H_

#include <memory>

#include "chimera/interceptor.h"
#include "sdk-cpp/src/client_calls.h"

namespace chimera::sdk {

class UserClientLinks {
 public:
  // The client is borrowed; it may still be under construction.
  UserClientLinks(const Interceptors& interceptors, detail::ClientState& client);
  ~UserClientLinks();
  bool empty() const { return chain_.empty(); }
  // The way into them for the calls of the client, or of a view of it. Borrows both.
  std::unique_ptr<ClientOutbound> enter(detail::ClientState& client) const;

 private:
  const std::unique_ptr<ClientOutboundInterceptor> last_;
  const Chain<ClientOutboundInterceptor> chain_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_USER_CLIENT_LINKS_H_
