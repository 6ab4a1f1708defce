#include "daemon/journal/journal.hpp"

namespace stackd::journal {

namespace {
constexpr std::size_t k_notes_kept = 256;
}

Journal::Journal(asio::any_io_executor executor, const std::filesystem::path& file)
    : store_(file), changed_(std::move(executor)) {}

void Journal::event(store::Database& db, const std::string& stack_id, const std::string& operation_id,
                    const std::string& kind, const nlohmann::json& data) {
  // Bytes that are no UTF-8 may have come from a command's output; an event is not lost for them.
  auto text = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  store::Events::append(db, {.at = util::now_ms(),
                             .stack_id = stack_id,
                             .operation_id = operation_id,
                             .kind = kind,
                             .data = std::move(text)});
}

void Journal::note(std::string stack_id, std::string operation_id, std::string kind, nlohmann::json data) {
  notes_.push_back(
      {next_note_++, std::move(stack_id), std::move(operation_id), std::move(kind), std::move(data)});
  if (notes_.size() > k_notes_kept) notes_.pop_front();
  changed_.notify();
}

}  // namespace stackd::journal
