#include "daemon/logs/service_logs.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "daemon/async/task_group.hpp"
#include "daemon/logs/marks.hpp"
#include "daemon/logs/read_lines.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::logs {
namespace {

using util::Error;
using util::ErrorKind;
using Stream = std::pair<std::string, int>;  // a service's replica

constexpr std::size_t k_of_a_source = 64 << 10;  // bytes of lines that wait for those of others
constexpr std::chrono::milliseconds k_after_error{200};

// What is handed on: secrets masked, a mark only between lines of its stream, and of equal ones the last.
class Out {
public:
  Out(std::vector<std::string> secrets, LineSink sink)
      : secrets_(std::move(secrets)), sink_(std::move(sink)) {}

  awaitable<void> put(Line one, bool at_once) {
    const Stream stream{one.line.service, one.line.number};
    one.line.text = resolve::mask(std::move(one.line.text), secrets_);
    if (one.line.stream == k_mark && !at_once) {
      auto& waiting = marks_[stream];
      if (!waiting.empty() && waiting.back().text == one.line.text) waiting.pop_back();
      if (one.alone || begun_.contains(stream)) waiting.push_back(std::move(one.line));
      co_return;
    }
    co_await put_marks(stream);
    begun_.insert(stream);
    co_await sink_(std::move(one.line));
  }
  awaitable<void> put_marks(Stream stream) {
    for (auto& mark : std::exchange(marks_[stream], {})) co_await sink_(std::move(mark));
  }
  awaitable<void> put_all_marks() {
    std::set<Stream> all;
    for (const auto& [stream, marks] : marks_) all.insert(stream);
    for (const auto& stream : all) co_await put_marks(stream);
  }

private:
  std::vector<std::string> secrets_;
  LineSink sink_;
  std::set<Stream> begun_;
  std::map<Stream, std::vector<proto::LogLine>> marks_;
};

// How far each place was read, for who goes on there.
struct Read {
  std::map<std::string, std::shared_ptr<std::string>> containers;   // by id: the time of the last line
  std::map<std::string, std::shared_ptr<std::uint64_t>> processes;  // by service
  std::shared_ptr<std::uint64_t> marks = std::make_shared<std::uint64_t>(0);

  std::shared_ptr<std::string> container(const std::string& id) {
    auto& seen = containers[id];
    if (!seen) seen = std::make_shared<std::string>();
    return seen;
  }
  std::shared_ptr<std::uint64_t> process(const std::string& service) {
    auto& place = processes[service];
    if (!place) place = std::make_shared<std::uint64_t>(0);
    return place;
  }
};

// ---- what was written, merged by time

class History {
public:
  History(Readers readers, Sources sources, proto::LogsRequest request, Read& read,
          asio::any_io_executor executor)
      : readers_(readers),
        sources_(std::move(sources)),
        request_(std::move(request)),
        read_(read),
        executor_(executor),
        producers_(executor) {}

  awaitable<void> run(Out& out) {
    const auto saved = co_await saved_sources();
    for (const auto& source : saved)
      produce(source.log.service, [this, source](auto lines) {
        return saved_lines(readers_.files, std::move(lines), source, request_);
      });
    for (const auto& source : sources_.containers)
      produce(source.service, [this, source](auto lines) { return of_container(std::move(lines), source); });
    for (const auto& source : sources_.processes)
      produce(source.service, [this, source](auto lines) {
        return process_lines(readers_.files, std::move(lines), source, request_,
                             read_.process(source.service));
      });
    produce("marks", [this](auto lines) {
      return marks(readers_.files, std::move(lines), sources_, request_, read_.marks);
    });
    auto merging = merge(out);
    co_await producers_.during(std::move(merging));
  }

private:
  struct Place {
    std::shared_ptr<Lines> lines;
    std::string time;  // of its newest line
  };

  void produce(const std::string& name, std::function<awaitable<void>(std::shared_ptr<Lines>)> task) {
    auto lines = std::make_shared<Lines>(executor_, k_of_a_source);
    lines->join();
    places_.push_back({lines, ""});
    producers_.spawn("logs of " + name, [lines, task]() -> awaitable<void> {
      struct Leave {
        std::shared_ptr<Lines> lines;
        ~Leave() { lines->leave(); }
      } leave{lines};
      co_await task(lines);
    });
  }

  // What its driver does not give is said instead.
  awaitable<void> of_container(std::shared_ptr<Lines> lines, ContainerSource source) {
    auto seen = read_.container(source.id);
    *seen = cursor_of(request_, source.service, source.number);
    std::string why;
    try {
      co_await container_lines(readers_.engine, lines, source, request_, false, seen);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::engine) throw;
      why = e.what();
    }
    if (why.empty()) co_return;
    Line note{"",
              mark_line(source.service, source.number,
                        mark_text(source.service, source.number, "its log cannot be read: " + why)),
              true};
    co_await lines->put(std::move(note));
  }

  // `tail` counts the lines of the stream: what the containers that are there do not have comes from those
  // that are gone.
  awaitable<std::vector<SavedSource>> saved_sources() {
    auto look = [sources = sources_](async::FileWorker&) {
      std::vector<SavedLog> all;
      for (const auto& service : sources.services)
        for (auto& log : saved_logs(sources.stack, service)) all.push_back(std::move(log));
      return all;
    };
    auto all = co_await readers_.files.run(look);
    // Saved, and not removed (yet): the engine has all of it.
    std::erase_if(all, [this](const SavedLog& log) {
      return std::any_of(sources_.containers.begin(), sources_.containers.end(), [&](const auto& source) {
        return log.file == saved_log_path(sources_.stack, source.service, source.number, source.id);
      });
    });
    std::map<Stream, std::uint64_t> wanted;
    const bool some = request_.tail != "all" && request_.after.empty();
    for (const auto& log : all) {
      const Stream stream{log.service, log.number};
      if (!some || wanted.contains(stream)) continue;
      wanted[stream] = std::strtoull(request_.tail.c_str(), nullptr, 10);
      if (wanted[stream] > 0) co_await subtract_living(stream, wanted[stream]);
    }
    std::vector<SavedSource> chosen;
    for (auto log = all.rbegin(); log != all.rend(); ++log) {
      SavedSource source{*log, 0};
      if (some) {
        auto& left = wanted[{log->service, log->number}];
        if (left == 0) continue;
        const auto lines = co_await count_lines(log->file);
        source.skip = lines > left ? lines - left : 0;
        left -= std::min(left, lines);
      }
      chosen.push_back(source);
    }
    co_return chosen;
  }
  awaitable<void> subtract_living(Stream stream, std::uint64_t& left) {
    for (const auto& source : sources_.containers)
      if (source.service == stream.first && source.number == stream.second) {
        const auto count = co_await count_container_lines(readers_.engine, source, request_);
        left -= std::min(left, count);
      }
  }
  awaitable<std::uint64_t> count_lines(std::filesystem::path file) {
    auto log = std::make_shared<process::LogFiles>(file);
    std::uint64_t count = 0, place = 0;
    for (;;) {
      auto read = [log, place](async::FileWorker&) { return log->read(place, k_of_a_source); };
      const auto piece = co_await readers_.files.run(read);
      if (piece.text.empty()) co_return count;
      count += static_cast<std::uint64_t>(std::count(piece.text.begin(), piece.text.end(), '\n'));
      place = piece.end();
    }
  }

  // The next of each place is known before one is chosen; equal times keep the order of the places.
  awaitable<void> merge(Out& out) {
    std::map<std::pair<std::string, std::size_t>, Line> heads;
    for (std::size_t index = 0; index < places_.size(); ++index) co_await advance(index, heads);
    while (!heads.empty()) {
      auto head = heads.extract(heads.begin());
      const auto index = head.key().second;
      co_await out.put(std::move(head.mapped()), false);
      co_await advance(index, heads);
    }
    co_await out.put_all_marks();
  }
  awaitable<void> advance(std::size_t index, std::map<std::pair<std::string, std::size_t>, Line>& heads) {
    auto& place = places_[index];
    auto next = co_await place.lines->take();
    if (!next) co_return;
    place.time = std::max(place.time, next->time);
    heads.emplace(std::pair(place.time, index), std::move(*next));
  }

  Readers readers_;
  Sources sources_;
  proto::LogsRequest request_;
  Read& read_;
  asio::any_io_executor executor_;
  std::vector<Place> places_;
  async::TaskGroup producers_;
};

// ---- what follows

class Follower {
public:
  Follower(Readers readers, Sources sources, proto::LogsRequest request, Following following, Read& read,
           asio::any_io_executor executor)
      : readers_(readers),
        sources_(std::move(sources)),
        request_(std::move(request)),
        following_(std::move(following)),
        read_(read),
        executor_(executor),
        lines_(std::make_shared<Lines>(executor)),
        wake_(executor),
        looked_(executor),
        tasks_(executor) {}

  awaitable<void> run(Out& out) {
    lines_->join();  // the one that looks; it leaves when the stack is down
    tasks_.spawn("logs: what is there", [this] { return look_on(); });
    tasks_.spawn("logs: changes", [this]() -> awaitable<void> {
      for (;;) {
        co_await following_.changed();
        poke();
        co_await looked_.wait();
      }
    });
    tasks_.spawn("logs: marks", [this] {
      return follow_marks(executor_, readers_.files, lines_, sources_.stack, request_.services, read_.marks);
    });
    auto delivering = deliver(out);
    co_await tasks_.during(std::move(delivering));
  }

private:
  struct Container {
    std::string run;
    bool active = false;
  };

  void poke() {
    woken_ = true;
    wake_.notify();
  }

  awaitable<void> deliver(Out& out) {
    while (auto line = co_await lines_->take()) co_await out.put(std::move(*line), true);
  }

  awaitable<void> look_on() {
    for (bool first = true;; first = false) {
      const auto now = co_await following_.look();
      looked_.notify();
      for (const auto& source : now.containers) begin(source, first);
      for (const auto& source : now.processes) begin(source, first);
      const bool reading = std::any_of(containers_.begin(), containers_.end(),
                                       [](const auto& each) { return each.second.active; });
      if (now.over && !reading && !request_.keep) break;
      while (!woken_) co_await wake_.wait();
      woken_ = false;
    }
    for (const auto& [service, process] : processes_) {
      tasks_.cancel(process.second);
      co_await rest_of_process(readers_.files, lines_, process.first, request_, read_.process(service));
    }
    lines_->leave();
  }

  void begin(const ContainerSource& source, bool first) {
    auto& known = containers_[source.id];
    if (!source.running || known.active || known.run == source.run) return;
    known = {source.run, true};
    auto request = request_;
    // What is new is shown from its beginning, what was asked of the lines before notwithstanding.
    const bool fresh = !first || !read_.containers.contains(source.id);
    if (fresh || request.tail != "0") request.tail = "all";
    if (fresh || read_.container(source.id)->empty()) request.since = fresh ? "" : request.since;
    tasks_.spawn("logs of " + source.service, [this, source, request] { return follow(source, request); });
  }
  void begin(const ProcessSource& source, bool) {
    if (processes_.contains(source.service)) return;
    auto place = read_.process(source.service);
    const auto task = tasks_.spawn("logs of " + source.service, [this, source, place] {
      return follow_process(executor_, readers_.files, lines_, source, request_, place);
    });
    processes_[source.service] = {source, task};
  }

  awaitable<void> follow(ContainerSource source, proto::LogsRequest request) {
    std::string how;
    bool again = false;
    try {
      co_await container_lines(readers_.engine, lines_, source, request, true, read_.container(source.id));
      how = co_await ending_of(source.id);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled) throw;
      again = e.kind() == ErrorKind::no_engine;
      if (e.kind() == ErrorKind::engine) how = std::string("its log cannot be read: ") + e.what();
    }
    if (!how.empty()) {
      Line mark{"", mark_line(source.service, source.number, mark_text(source.service, source.number, how))};
      co_await lines_->put(std::move(mark));
    }
    if (again) co_await async::sleep_for(k_after_error);
    auto& known = containers_[source.id];
    known.active = false;
    if (again) known.run.clear();
    poke();
  }

  // "" while the engine starts it again: that is told by its mark.
  awaitable<std::string> ending_of(std::string id) {
    const auto there = co_await readers_.engine.inspect_container(id);
    if (!there) co_return "was removed";
    if (there->running || there->restarting) co_return "";
    co_return "exited with status " + std::to_string(there->exit_code);
  }

  Readers readers_;
  Sources sources_;
  proto::LogsRequest request_;
  Following following_;
  Read& read_;
  asio::any_io_executor executor_;
  std::shared_ptr<Lines> lines_;
  async::Signal wake_, looked_;
  bool woken_ = false;
  std::map<std::string, Container> containers_;  // by id
  std::map<std::string, std::pair<ProcessSource, async::TaskGroup::Id>> processes_;
  async::TaskGroup tasks_;
};

}  // namespace

awaitable<void> read_logs(Readers readers, Sources sources, proto::LogsRequest request,
                          std::vector<std::string> secrets, Following following, LineSink sink) {
  const auto executor = co_await asio::this_coro::executor;
  Out out(std::move(secrets), std::move(sink));
  Read read;
  History history(readers, sources, request, read, executor);
  co_await history.run(out);
  if (!request.follow) co_return;
  Follower follower(readers, sources, request, std::move(following), read, executor);
  co_await follower.run(out);
}

}  // namespace stackd::logs
