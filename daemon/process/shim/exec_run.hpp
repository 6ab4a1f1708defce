// ExecRun: holds one exec in a container from its creation to its exit status (semantics.md C2, E1): the
// engine forgets the output, and 20.10 the status, when the connection that started an exec goes away, so it
// must not be the daemon's.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/process/shim/container_tree.hpp"
#include "daemon/process/shim/ending.hpp"
#include "daemon/process/shim/engine_http.hpp"
#include "daemon/process/shim/log_file.hpp"
#include "daemon/process/shim/mask.hpp"
#include "daemon/process/shim/request.hpp"
#include "daemon/process/shim/run_directory.hpp"
#include "daemon/process/shim/signals.hpp"

namespace stackd::shim {

class ExecRun {
public:
  ExecRun(Request& request, RunDirectory& directory, Signals& signals, Log& log);
  Outcome run(const std::function<void(bool)>& started);

private:
  bool start();
  void loop();
  void wait_for_something();
  bool read_stream();  // false when there is nothing (more) now
  void take_output(std::string_view bytes);
  void take_frames();
  void keep(Tail& tail, std::string_view text);
  void look();  // asks the engine once how the exec is
  void end(const char* cause, Millis grace);
  bool find_tree();
  void lost(const std::string& why);

  static constexpr Millis k_create_limit = 30'000, k_inspect_limit = 10'000;
  static constexpr Millis k_pid_limit = 3'000;  // from the start of an exec until the engine knows its pid
  static constexpr Millis k_engine_away =
      30'000;  // how long the engine may be silent before the exec counts as lost

  Request& request_;
  RunDirectory& directory_;
  Signals& signals_;
  Log& log_;
  EngineHttp engine_;
  std::string id_, container_id_;
  int pid_ = 0;
  util::Fd stream_;
  std::string frames_;  // a frame that has not come whole
  Mask out_mask_, err_mask_;
  Tail out_, err_;
  std::optional<ContainerTree> tree_;
  Ending ending_;
  std::optional<Millis> time_out_at_;
  Millis look_at_ = 0, look_pause_ = 60, silent_since_ = 0;
  bool over_ = false, tree_gone_ = false;
  Millis gone_at_ = 0;
  Outcome outcome_;
};

}  // namespace stackd::shim
