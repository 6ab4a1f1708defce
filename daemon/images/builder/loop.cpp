#include "daemon/images/builder/loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/util/error.hpp"

namespace stackd::builder {

struct Loop::Done {
  std::mutex mutex;
  std::vector<std::function<void()>> calls;
  util::Fd read_end, write_end;
};

Loop::Loop() : done_(std::make_shared<Done>()) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw util::system_error("cannot build: no pipe", errno);
  done_->read_end.reset(ends[0]);
  done_->write_end.reset(ends[1]);
  const auto take = [this](short) {
    char bytes[64];
    while (::read(done_->read_end.get(), bytes, sizeof bytes) > 0) continue;
    std::vector<std::function<void()>> calls;
    {
      const std::lock_guard lock(done_->mutex);
      calls.swap(done_->calls);
    }
    for (const auto& call : calls) call();
  };
  watch(
      ends[0], [] { return static_cast<short>(POLLIN); }, take);
}

void Loop::watch(int fd, std::function<short()> wanted, std::function<void(short)> ready) {
  watches_[fd] = std::make_shared<Watch>(Watch{std::move(wanted), std::move(ready)});
}

void Loop::forget(int fd) {
  watches_.erase(fd);
}

void Loop::beside(std::function<std::function<void()>()> work) {
  std::thread([work = std::move(work), done = done_] {
    auto call = work();
    {
      const std::lock_guard lock(done->mutex);
      done->calls.push_back(std::move(call));
    }
    (void)!::write(done->write_end.get(), "x", 1);
  }).detach();
}

void Loop::run() {
  while (!stopped_) {
    std::vector<pollfd> waits;
    for (const auto& [fd, watch] : watches_) waits.push_back({fd, watch->wanted(), 0});
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR)
      throw util::system_error("cannot wait for the engine", errno);
    for (const auto& wait : waits) {
      if (!wait.revents || stopped_) continue;
      // One that an earlier call has taken away, or put in another's place, is not meant.
      const auto found = watches_.find(wait.fd);
      if (found == watches_.end()) continue;
      const auto watch = found->second;
      watch->ready(wait.revents);
    }
  }
}

}  // namespace stackd::builder
