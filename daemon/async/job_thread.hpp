// JobThread: a thread that runs functions one after another, for coroutines of the control thread that wait
// for them.
#pragma once

#include <functional>
#include <memory>

#include "daemon/async/asio.hpp"

namespace stackd::async {

class JobThread {
public:
  JobThread();
  // Waits for what is under way.
  ~JobThread();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // Runs the job there, in order, and resumes here; what the job throws is thrown. Not cancellable once
  // begun, so that what was asked for is known to have happened.
  awaitable<void> run(std::function<void()> job);

private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace stackd::async
