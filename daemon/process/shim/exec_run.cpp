#include "daemon/process/shim/exec_run.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "daemon/process/shim/json.hpp"

namespace stackd::shim {
namespace {

constexpr char k_may_still_run[] = "the process may still run in the container";

// 20.10 says 126 whatever kept a command from being started; newer engines, and shells, say 127 when it is
// not there.
bool says_not_found(std::string_view output) {
  return output.find("executable file not found") != std::string_view::npos ||
         output.find("no such file or directory") != std::string_view::npos;
}

}  // namespace

ExecRun::ExecRun(Request& request, RunDirectory& directory, Signals& signals, Log& log)
    : request_(request),
      directory_(directory),
      signals_(signals),
      log_(log),
      engine_(request.engines, request.api),
      out_mask_(&request.secrets),
      err_mask_(&request.secrets) {}

Outcome ExecRun::run(const std::function<void(bool)>& started) {
  const bool runs = start();
  if (runs) directory_.write_started(0, id_);
  request_.forget_large_parts();
  started(runs);
  if (runs)
    loop();
  else
    log_.write(outcome_.error + "\n");
  keep(out_, out_mask_.rest());
  keep(err_, err_mask_.rest());
  log_.finish();
  outcome_.out_tail = out_.text();
  outcome_.err_tail = err_.text();
  return outcome_;
}

bool ExecRun::start() {
  outcome_.cause = "not_started";
  if (request_.timeout) time_out_at_ = now() + *request_.timeout;
  const auto created =
      engine_.call("POST", "/containers/" + request_.container + "/exec", request_.exec_body, k_create_limit);
  const auto id = created.ok() ? text_member(created.body, "Id") : std::nullopt;
  if (!id) {
    outcome_.error = created.ok() ? "the engine named no exec" : created.error;
    return false;
  }
  id_ = *id;
  const std::string body =
      request_.tty ? R"({"Detach":false,"Tty":true})" : R"({"Detach":false,"Tty":false})";
  auto hijacked = engine_.hijack("/exec/" + id_ + "/start", body, k_create_limit);
  if (!hijacked.ok() && hijacked.reply.status > 0) {
    outcome_.error = hijacked.reply.error;
    return false;
  }
  // With no answer at all it may have been started: look() finds out.
  outcome_.cause.clear();
  stream_ = std::move(hijacked.socket);
  look_at_ = now() + (stream_ ? look_pause_ : 0);
  take_output(hijacked.first);
  return true;
}

void ExecRun::loop() {
  while (!over_) {
    wait_for_something();
    read_stream();
    if (signals_.take().terminate) end("ended", directory_.grace_or(request_.grace));
    if (time_out_at_ && now() >= *time_out_at_) {
      time_out_at_.reset();
      if (!ending_.begun()) end("timed_out", request_.grace);
    }
    if (!over_ && ending_.begun() && !tree_gone_ && ending_.step(*tree_)) {
      tree_gone_ = true;
      gone_at_ = look_at_ = now();
      look_pause_ = 5;
      outcome_.error = ending_.error();
      over_ = !outcome_.error.empty();
    }
    if (!over_ && now() >= look_at_) look();
  }
  while (read_stream()) continue;
}

void ExecRun::wait_for_something() {
  Millis until = look_at_;
  if (time_out_at_) until = std::min(until, *time_out_at_);
  if (ending_.begun() && !tree_gone_) until = std::min(until, ending_.next());
  pollfd entries[2] = {{signals_.fd(), POLLIN, 0}, {stream_.get(), POLLIN, 0}};
  ::poll(entries, 2, static_cast<int>(std::clamp<Millis>(until - now(), 0, 3'600'000)));
}

bool ExecRun::read_stream() {
  static char buffer[65536];
  if (!stream_) return false;
  const auto n = ::recv(stream_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n > 0) {
    take_output({buffer, static_cast<std::size_t>(n)});
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  stream_.reset();
  look_at_ = now();
  look_pause_ = 5;
  return false;
}

void ExecRun::take_output(std::string_view bytes) {
  if (request_.tty) {
    keep(out_, out_mask_.add(bytes));
    return;
  }
  frames_ += bytes;
  take_frames();
}

// Each frame: stream (1 out, 2 err), three zeros, length as four bytes, the highest first.
void ExecRun::take_frames() {
  std::size_t at = 0;
  while (frames_.size() - at >= 8) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(frames_[at + i]));
    };
    const auto length = byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7);
    if (frames_.size() - at - 8 < length) break;
    const std::string_view text(frames_.data() + at + 8, length);
    byte(0) == 2 ? keep(err_, err_mask_.add(text)) : keep(out_, out_mask_.add(text));
    at += 8 + length;
  }
  frames_.erase(0, at);
}

void ExecRun::keep(Tail& tail, std::string_view text) {
  log_.write(text);
  tail.add(text);
}

void ExecRun::look() {
  const auto reply = engine_.call("GET", "/exec/" + id_ + "/json", {}, k_inspect_limit);
  look_pause_ = std::min<Millis>(look_pause_ * 2, 1000);
  look_at_ = now() + look_pause_;
  if (reply.status == 404) return lost(reply.error);
  if (!reply.ok()) {
    if (silent_since_ == 0) silent_since_ = now();
    if (now() - silent_since_ > k_engine_away) lost(reply.error);
    return;
  }
  silent_since_ = 0;
  const bool running = bool_member(reply.body, "Running").value_or(false);
  const auto code = number_member(reply.body, "ExitCode");
  const auto pid = static_cast<int>(number_member(reply.body, "Pid").value_or(0));
  container_id_ = text_member(reply.body, "ContainerID").value_or(request_.container);
  if (running && pid > 0 && pid_ == 0) {
    pid_ = pid;
    tree_.emplace(engine_, container_id_, pid, request_.tag);
    directory_.write_started(pid, id_);
  }
  // While output flows, only the pid is wanted; the status is asked for when the stream has ended.
  if (stream_ && pid_ > 0 && !ending_.begun()) look_at_ = now() + 3'600'000;
  if (running && tree_gone_ && now() - gone_at_ > k_inspect_limit)
    return lost("it has ended, the engine says it runs");
  if (running || (stream_ && !ending_.begun())) return;
  over_ = true;
  if (!code) return lost("the engine does not say how the exec ended");
  outcome_.code = static_cast<int>(*code);
  if (outcome_.code == 126 && pid == 0 && says_not_found(out_.text())) outcome_.code = 127;
  if (outcome_.cause.empty()) outcome_.cause = "exited";
}

void ExecRun::end(const char* cause, Millis grace) {
  if (!ending_.begun()) {
    const bool found = find_tree();
    if (over_) return;
    outcome_.cause = cause;
    if (!found) {
      outcome_.error = k_may_still_run;
      over_ = true;
      return;
    }
  }
  ending_.begin(grace, *tree_);
}

// Whether there is something to end. An exec that has only just been asked for has no pid yet.
bool ExecRun::find_tree() {
  for (const auto give_up = now() + k_pid_limit; pid_ == 0 && !over_ && now() < give_up;) {
    look();
    if (pid_ == 0 && !over_) ::poll(nullptr, 0, 20);
  }
  if (over_) return false;
  if (tree_ && tree_->visible()) return true;
  if (!stream_) look();  // perhaps it has just ended
  return false;
}

void ExecRun::lost(const std::string& why) {
  over_ = true;
  if (outcome_.cause.empty()) outcome_.cause = "lost";
  outcome_.error = "the engine lost the exec: " + why;
}

}  // namespace stackd::shim
