// Where the daemon is, and starting it when it is not there (design.md, "Client").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/http.hpp"

namespace stackd::client {

struct Where {
  Endpoint endpoint;
  bool named = false;  // --host named it: then it must be there already
};

// `host`: "" (the default socket), "unix:///path" or "http://127.0.0.1:PORT", whose token comes from
// $STACKD_TOKEN, else from the token file in the state directory. Throws ClientError(2).
Where where_is_daemon(const std::string& host);

// A connection, or null when nobody listens there. Throws ClientError(3) when somebody does but may not be
// asked.
std::unique_ptr<Connection> try_connect(const Endpoint& endpoint);

// A connection to a daemon that is started when none listens: through the user manager's stackd.socket where
// that is there, else with a `stackd` of our own in the background (the one beside this program, else the one
// in PATH), whose output goes to $STACKD_HOME/daemon.log; waits 5 s for its answer. STACKD_AUTOSTART=0
// forbids it. Throws ClientError(3).
std::unique_ptr<Connection> connect_to_daemon(const Where& where);
// The same, whatever STACKD_AUTOSTART says: `stackctl daemon start`.
void start_daemon(const Endpoint& endpoint);

// The user manager, when there is one to talk to.
bool has_user_manager();
// Runs a program with its output thrown away; its exit code, 127 when it cannot be run.
int run_quietly(const std::vector<std::string>& command);
// Path of `stackd`: beside this program, else in PATH; "" when there is none.
std::string find_stackd();

}  // namespace stackd::client
