#include "daemon/journal/journal.hpp"

#include <algorithm>
#include <iterator>

namespace stackd::journal {

namespace {

constexpr std::size_t k_notes_kept = 256;

// Of the transaction that runs on this thread.
thread_local std::vector<std::string> t_touched;

// What tells of the picture itself changes nothing in it.
bool tells_of_the_picture(const std::string& kind) {
  return kind == "service.status" || kind == "stack.status";
}

}  // namespace

Journal::Journal(asio::any_io_executor executor, const std::filesystem::path& file)
    : store_(file), changed_(std::move(executor)) {}

void Journal::event(store::Database& db, const std::string& stack_id, const std::string& operation_id,
                    const std::string& kind, const nlohmann::json& data) {
  if (!tells_of_the_picture(kind)) touch(stack_id);
  // Bytes that are no UTF-8 may have come from a command's output; an event is not lost for them.
  auto text = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  store::Events::append(db, {.at = util::now_ms(),
                             .stack_id = stack_id,
                             .operation_id = operation_id,
                             .kind = kind,
                             .data = std::move(text)});
}

void Journal::touch(const std::string& stack_id) {
  if (!stack_id.empty() && std::find(t_touched.begin(), t_touched.end(), stack_id) == t_touched.end())
    t_touched.push_back(stack_id);
}

void Journal::begin() {
  t_touched.clear();
}
std::vector<std::string> Journal::end() {
  return std::exchange(t_touched, {});
}

void Journal::announce(Load& load) {
  ++commits_;
  load.riders.clear();
  if (on_touched && !load.touched.empty()) on_touched(load.touched);
  changed_.notify();
}

void Journal::take_back(Load& load) {
  riders_.insert(riders_.begin(), std::make_move_iterator(load.riders.begin()),
                 std::make_move_iterator(load.riders.end()));
  load.riders.clear();
}

void Journal::note(std::string stack_id, std::string operation_id, std::string kind, nlohmann::json data) {
  notes_.push_back(
      {next_note_++, std::move(stack_id), std::move(operation_id), std::move(kind), std::move(data)});
  if (notes_.size() > k_notes_kept) notes_.pop_front();
  changed_.notify();
}

}  // namespace stackd::journal
