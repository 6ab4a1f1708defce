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
#include <utility>
#include <vector>

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

  // One transaction around `f`, and around what rides along; events appended in it are announced when it has
  // committed.
  template <class F>
  auto commit(F&& f) -> awaitable<std::invoke_result_t<std::decay_t<F>&, store::Database&>> {
    using R = std::invoke_result_t<std::decay_t<F>&, store::Database&>;
    auto load = std::make_shared<Load>(Load{std::exchange(riders_, {}), {}});
    auto work = [f = std::forward<F>(f), load](store::Database& db) mutable -> R {
      store::Transaction transaction(db);
      begin();
      if constexpr (std::is_void_v<R>) {
        f(db);
        for (const auto& rider : load->riders) rider(db);
        transaction.commit();
        load->touched = end();
      } else {
        R result = f(db);
        for (const auto& rider : load->riders) rider(db);
        transaction.commit();
        load->touched = end();
        return result;
      }
    };
    return announced(store_.run(std::move(work)), std::move(load));
  }

  // Written by the next commit, whoever's it is, so that it costs no wait for the disk of its own. It must
  // not throw. A commit that fails leaves it to the next one.
  using Rider = std::function<void(store::Database&)>;
  void ride(Rider rider) { riders_.push_back(std::move(rider)); }
  bool has_riders() const { return !riders_.empty(); }

  // Of each commit the stacks that it changed: those of its events, and those of touch(). Control thread.
  std::function<void(const std::vector<std::string>& stacks)> on_touched;
  // Inside a transaction of commit(): it changes something of this stack and says so by no event.
  static void touch(const std::string& stack_id);

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
  struct Load {
    std::vector<Rider> riders;
    std::vector<std::string> touched;
  };

  template <class R>
  awaitable<R> announced(awaitable<R> work, std::shared_ptr<Load> load) {
    try {
      if constexpr (std::is_void_v<R>) {
        co_await std::move(work);
        announce(*load);
      } else {
        R result = co_await std::move(work);
        announce(*load);
        co_return result;
      }
    } catch (...) {
      take_back(*load);
      throw;
    }
  }

  // On the store's thread, around a transaction.
  static void begin();
  static std::vector<std::string> end();
  void announce(Load& load);
  void take_back(Load& load);

  async::Serial<store::Database> store_;
  async::Signal changed_;
  std::vector<Rider> riders_;
  std::deque<Note> notes_;
  std::uint64_t next_note_ = 1;
  std::uint64_t commits_ = 0;
};

}  // namespace stackd::journal
