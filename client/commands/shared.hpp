// What several commands show alike.
#pragma once

#include <string>
#include <vector>

#include "client/context.hpp"

namespace stackd::client {

// "http://localhost:8080", or "127.0.0.1:9000->5432/tcp".
std::string port_text(const proto::Port& port);
std::string ports_text(const proto::Service& service);
// The stack in one line, then a line a service with status and ports or URLs.
// `ages`: with how long each has been what it is.
void show_stack(const Context& context, const proto::Stack& stack);
// What an up has come to: a table with what each service took, and the slowest part of it all.
void show_up(const Context& context, const proto::Stack& stack, const proto::Operation& operation);
// How long ago that was: "5s", "2m10s", "3h05m"; "" for no time.
std::string for_how_long(const std::string& rfc3339);
// Says once that a log's daemon is away.
void tell_lost(const Context& context, bool first);
// Where in a hook's log an answer begins; `wanted` when it does not say.
std::uint64_t log_place(const Head& head, std::uint64_t wanted);
// Warnings, and why it failed; nothing for a success without any.
void show_outcome(const Context& context, const proto::Operation& operation);
// Follows, shows the outcome (`done` when it succeeded), gives the exit code.
int finish_operation(Context& context, const proto::Operation& operation, const std::string& done);
// Asks whoever is at the terminal; of a script nothing is asked.
bool said_yes(const Context& context, const std::string& question);
// What a wish would do (commands/plan.cpp), with `values` also how what changes was and will be; the exit
// code says whether there is anything.
int show_plan(Context& context, const proto::PlanRequest& request, bool values = false);

}  // namespace stackd::client
