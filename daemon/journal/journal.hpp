// Journal: the store on its thread, and the events that its commits make known. An event row is written in
// the transaction of what it tells, and subscribers are woken after the commit; they read from the table, so
// a slow or reconnecting one loses nothing. Passing notes (a hook's last output line) are not stored and
// carry no number.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/async/serial.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/store/records.hpp"

namespace stackd::journal {

struct Note {
  std::uint64_t number = 0;
  std::string stack_id, operation_id, kind;
  nlohmann::json data;
};

class Journal {
public:
  Journal(asio::any_io_executor executor, const std::filesystem::path& file);

  // Reads, or writes without an event; `f(Database&)`. One transaction when it writes: the caller opens it.
  template <class F>
  auto run(F&& f) {
    return store_.run(std::forward<F>(f));
  }

  // One transaction around `f`; events appended in it are announced when it has committed.
  template <class F>
  auto commit(F&& f) -> awaitable<std::invoke_result_t<std::decay_t<F>&, store::Database&>> {
    using R = std::invoke_result_t<std::decay_t<F>&, store::Database&>;
    auto work = [f = std::forward<F>(f)](store::Database& db) mutable -> R {
      store::Transaction transaction(db);
      if constexpr (std::is_void_v<R>) {
        f(db);
        transaction.commit();
      } else {
        R result = f(db);
        transaction.commit();
        return result;
      }
    };
    return announced(store_.run(std::move(work)));
  }

  // Appends an event inside a transaction of commit().
  static void event(store::Database& db, const std::string& stack_id, const std::string& operation_id,
                    const std::string& kind, const nlohmann::json& data);

  // A passing note for those who watch now; the newest 256 are kept.
  void note(std::string stack_id, std::string operation_id, std::string kind, nlohmann::json data);
  const std::deque<Note>& notes() const { return notes_; }
  std::uint64_t newest_note() const { return next_note_ - 1; }

  // How many commits were announced: one who read before and finds it unchanged has missed nothing.
  std::uint64_t commits() const { return commits_; }
  // Woken by every commit() and note().
  async::Signal& changed() { return changed_; }
  store::Database& direct() { return store_.direct(); }

private:
  template <class R>
  awaitable<R> announced(awaitable<R> work) {
    if constexpr (std::is_void_v<R>) {
      co_await std::move(work);
      announce();
    } else {
      R result = co_await std::move(work);
      announce();
      co_return result;
    }
  }

  void announce() {
    ++commits_;
    changed_.notify();
  }

  async::Serial<store::Database> store_;
  async::Signal changed_;
  std::deque<Note> notes_;
  std::uint64_t next_note_ = 1;
  std::uint64_t commits_ = 0;
};

}  // namespace stackd::journal
