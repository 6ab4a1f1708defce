// Loop: waits for descriptors and calls who watches them; one thread. What blocks runs beside it.
#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/util/fd.hpp"

namespace stackd::builder {

class Loop {
public:
  Loop();
  // `wanted` is asked before each wait: POLLIN, POLLOUT, both, or 0 for nothing but the end.
  void watch(int fd, std::function<short()> wanted, std::function<void(short)> ready);
  void forget(int fd);
  // Runs `work` on a thread; what it returns is called here. Nobody waits for the thread at the end.
  void beside(std::function<std::function<void()>()> work);
  // Until stop().
  void run();
  void stop() { stopped_ = true; }

private:
  struct Watch {
    std::function<short()> wanted;
    std::function<void(short)> ready;
  };
  struct Done;  // shared with the threads
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::shared_ptr<Done> done_;
  bool stopped_ = false;
};

}  // namespace stackd::builder
