// What the daemon and stackd-shim say to each other. Standard library headers only: the shim links nothing
// else.
//
// The request is a file (a memfd, the shim's standard input) of "name=value" fields, each ended by a NUL:
// argv and environments cannot hold one, so nothing needs escaping. The answers are lines on a pipe, the
// shim's standard output.
#pragma once

namespace stackd::shim {

namespace field {
constexpr char k_directory[] = "directory";
constexpr char k_readable[] = "readable";  // text of request.json
constexpr char k_log[] = "log";            // empty: none is kept
constexpr char k_header[] = "header";
constexpr char k_limit[] = "limit";  // bytes kept of a capped log; of one of a service before the next begins
constexpr char k_kept[] = "kept";    // how many old ones of a service's log stay
constexpr char k_out[] = "out";      // standard output goes to this file, and not to the log
constexpr char k_out_limit[] = "out_limit";  // bytes; a command that prints more is ended
constexpr char k_umask[] = "umask";
constexpr char k_append[] = "append";      // 1: a service's log (Capture::append)
constexpr char k_leave[] = "leave";        // 1: what the command leaves behind is not ended
constexpr char k_truncate[] = "truncate";  // 1: the log begins empty
constexpr char k_timeout[] = "timeout";    // milliseconds; absent: none
constexpr char k_grace[] = "grace";        // milliseconds
constexpr char k_cwd[] = "cwd";
constexpr char k_arg[] = "arg";        // in order
constexpr char k_env[] = "env";        // "A=B"
constexpr char k_engine[] = "engine";  // "unix:/path" or "tcp:<numeric address> <port>"; tried in order
constexpr char k_api[] = "api";        // "/v1.41" or ""
constexpr char k_container[] = "container";
constexpr char k_exec_body[] = "exec_body";  // JSON of POST /containers/{id}/exec
constexpr char k_secret[] = "secret";        // what the output must not show, the longest first
constexpr char k_tty[] = "tty";
constexpr char k_tag[] = "tag";  // an exec's mark, as "NAME=value"
}  // namespace field

namespace answer {
constexpr char k_took[] = "took";        // the directory is ours
constexpr char k_taken[] = "taken";      // another run has it; the shim ends
constexpr char k_error[] = "error ";     // + why the directory could not be taken; the shim ends
constexpr char k_started[] = "started";  // the command runs
constexpr char k_failed[] = "failed";    // it does not; exit.json says why
}  // namespace answer

// Names in a run's directory.
namespace name {
constexpr char k_lock[] = "lock";  // flock'd by the living shim; holds its pid
constexpr char k_request[] = "request.json";
constexpr char k_started[] = "started.json";
constexpr char k_exit[] = "exit.json";
constexpr char k_grace[] = "grace";  // milliseconds, written by Runs::end before it signals the shim
}  // namespace name

// In the environment of all that a run starts, with a value that no other run has (request.json keeps it as
// "mark"): by this the processes are known that have left the command's tree and session, and those whose
// shim was killed.
constexpr char k_mark[] = "STACKD_RUN";

constexpr int k_tail_bytes = 4096;

}  // namespace stackd::shim
