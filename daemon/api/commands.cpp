// Commands on the caller's host: which there are, and what they are run with. The caller runs them.
#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"

namespace stackd::api {

Answer list_commands(Manager& manager, http::Request request) {
  Query(request, {});
  const auto commands = co_await manager.commands(read_up_request(request.body));
  co_return json_answer({{"commands", commands}});
}

Answer surroundings(Manager& manager, http::Request request) {
  const Query query(request, {"command", "group", "service"});
  const stacks::CommandOf what{query.text("command"), query.text("group"), query.text("service")};
  const auto found = co_await manager.surroundings(read_up_request(request.body), what);
  co_return json_answer(found);
}

}  // namespace stackd::api
