#include "daemon/stacks/talk.hpp"

#include "daemon/async/alongside.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {

using util::Error;
using util::ErrorKind;

awaitable<void> Talk::run() {
  auto there = output();
  auto back = input();
  const bool ended = co_await async::alongside(std::move(there), std::move(back));
  if (!ended && !detached_) throw Error(ErrorKind::cancelled, "the client of the command has gone");
}

awaitable<void> Talk::output() {
  auto sink = [this](docker::Stream stream, std::string_view bytes) -> awaitable<void> {
    co_await ends_.output(stream == docker::Stream::err, bytes);
  };
  co_await command_.attached->read(sink);
  exit_code_ = co_await command_.exit_code();
}

// Ends when there is nobody any more who could want the output.
awaitable<void> Talk::input() {
  for (;;) {
    const auto next = co_await ends_.input();
    switch (next.kind) {
      case ExecInput::Kind::data:
        co_await command_.attached->write(next.data);
        break;
      case ExecInput::Kind::end:
        command_.attached->end_input();
        break;
      case ExecInput::Kind::resize:
        co_await resize(next.size);
        break;
      case ExecInput::Kind::signal:
        co_await pass_on(next.data);
        break;
      case ExecInput::Kind::detach:
        detached_ = true;
        co_return;
      case ExecInput::Kind::gone:
        co_return;
    }
  }
}

awaitable<void> Talk::resize(proto::WindowSize size) {
  if (size.rows <= 0 || size.columns <= 0) co_return;
  try {
    co_await command_.resize(size.rows, size.columns);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
  }
}

// One that has ended meanwhile takes none, and its end is on its way.
awaitable<void> Talk::pass_on(std::string signal) {
  if (!command_.signal) co_return;
  try {
    co_await command_.signal(signal);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
  }
}

}  // namespace stackd::stacks
