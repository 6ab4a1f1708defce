// A wish becomes an operation, or joins one, or is refused (X25).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/plan/wish.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/util/ids.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// What a client asked for under a key of its own. `asked` is a hash of its words: what they mean may change.
// Both are "" without a key.
struct Asked {
  std::string key, asked;
};
template <class Request>
Asked asked_for(std::string key, const std::string& kind, const std::string& stack, const Request& request) {
  if (key.empty()) return {};
  return {std::move(key), util::sha256_hex(nlohmann::json{kind, stack, request}.dump())};
}

// What a wish with this key became, when it came before. Throws invalid_request when it was another wish's.
awaitable<std::optional<proto::Operation>> repeated(Parts& parts, Asked wish);

struct Beginning {
  std::string stack;
  plan::Kind kind = plan::Kind::up;
  plan::Wish wish;
  Asked asked;
  std::function<void(const store::OperationRow&)> begins = nullptr;  // as operations::Submission has them
  std::function<void(store::Database&)> extra = nullptr;
  std::function<awaitable<std::optional<operations::Outcome>>(const store::OperationRow&)> foresee = nullptr;
  std::function<void()> unwritten = nullptr;  // `begins` was called, and nothing came of it
};
// The operation as it is after it was written, a moment later (what is over at once is answered at once); or
// the equal one that ran already. Throws conflict with the running operation's id.
awaitable<proto::Operation> submit(Parts& parts, Beginning beginning);

awaitable<proto::Operation> operation_by_id(Parts& parts, std::string id);  // throws not_found
util::Error busy(const store::OperationRow& running);

}  // namespace stackd::stacks
