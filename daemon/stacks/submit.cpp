#include "daemon/stacks/submit.hpp"

#include "daemon/async/deadline.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/stacks/views.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using operations::Decision;
using plan::Kind;
using store::OperationRow;
using util::Error;
using util::ErrorKind;

// Long enough for an up that has nothing to do, short enough not to be felt by one that has.
constexpr std::chrono::milliseconds k_courtesy{25};
constexpr std::size_t k_id_digits = 12;

// The id comes from the client's key, so that the store itself knows a wish again.
std::string operation_id(const std::string& key) {
  return "op-" + (key.empty() ? util::random_hex(k_id_digits) : util::sha256_hex(key).substr(0, k_id_digits));
}

struct Rows {
  OperationRow operation;
  std::vector<store::StepRow> steps;
};

awaitable<std::optional<Rows>> rows_of(Parts& parts, std::string id) {
  auto query = [id](store::Database& db) -> std::optional<Rows> {
    auto operation = store::Operations::get(db, id);
    if (!operation) return std::nullopt;
    return Rows{std::move(*operation), store::Steps::of_operation(db, id)};
  };
  return parts.journal.run(query);
}

// The one gate: whatever the kind, this is what becomes of a wish while another operation of its stack runs.
Decision decide(const OperationRow& running, const OperationRow& wanted, const plan::Wish& wish) {
  const auto kind = plan::kind_from(running.kind);
  if (running.id == wanted.id) return Decision::join;
  const bool same = running.kind == wanted.kind && !running.cancel_requested && running.mode == "forward" &&
                    plan::same(plan::wish_from(running.request), wish);
  if (same) return Decision::join;
  // What stackd does by itself is no reason to refuse a wish.
  if (kind == Kind::recover) return Decision::follow;
  // Part Y: down cancels what brings the stack up.
  if (wanted.kind == plan::to_string(Kind::down) && plan::brings_up(kind)) return Decision::follow;
  throw busy(running);
}

// The operation is written, and its end is no part of the answer: a daemon that stops meanwhile is no mistake
// of the wish.
awaitable<void> wait_a_moment(Parts& parts, std::string id) {
  try {
    auto ended = parts.runner.wait(id);
    co_await async::within(k_courtesy, "operation", std::move(ended));
  } catch (const Error&) {
  }
}

}  // namespace

Error busy(const OperationRow& running) {
  return Error(ErrorKind::conflict,
               "stack '" + running.stack_id + "' is busy: operation " + running.id + " (" + running.kind +
                   ") is running; wait for it or cancel it",
               {running.id});
}

awaitable<proto::Operation> operation_by_id(Parts& parts, std::string id) {
  const auto rows = co_await rows_of(parts, id);
  if (!rows) throw Error(ErrorKind::not_found, "there is no operation '" + id + "'");
  co_return operation_view(rows->operation, rows->steps);
}

awaitable<std::optional<proto::Operation>> repeated(Parts& parts, Asked wish) {
  if (wish.key.empty()) co_return std::nullopt;
  const auto known = co_await rows_of(parts, operation_id(wish.key));
  if (!known) co_return std::nullopt;
  if (plan::wish_from(known->operation.request).asked != wish.asked)
    throw Error(ErrorKind::invalid_request,
                "cannot take this: its Idempotency-Key was that of another wish, which became " +
                    known->operation.kind + " " + known->operation.id + "; give each wish its own");
  co_return operation_view(known->operation, known->steps);
}

awaitable<proto::Operation> submit(Parts& parts, Beginning beginning) {
  auto wish = std::move(beginning.wish);
  wish.asked = beginning.asked.asked;
  operations::Submission submission;
  submission.row.id = operation_id(beginning.asked.key);
  submission.row.stack_id = beginning.stack;
  submission.row.kind = plan::to_string(beginning.kind);
  submission.row.request = plan::to_text(wish);
  submission.row.created_at = util::now_ms();
  submission.steps = {plan::first_step(beginning.kind)};
  bool begun = false;
  submission.begins = [&begun, begins = std::move(beginning.begins)](const OperationRow& row) {
    begun = true;
    if (begins) begins(row);
  };
  submission.gate = [wanted = submission.row, wish](const OperationRow& running) {
    return decide(running, wanted, wish);
  };
  submission.extra = [extra = std::move(beginning.extra), row = submission.row](store::Database& db) {
    if (extra) extra(db);
    store::Stacks::set_last_operation(db, row.stack_id, row.id, row.created_at);
  };
  submission.foresee = std::move(beginning.foresee);
  const auto id = submission.row.id;
  std::optional<Error> refused;
  operations::Submitted submitted;
  try {
    submitted = co_await parts.runner.submit(std::move(submission));
  } catch (const Error& e) {
    refused = e;
  } catch (...) {
    if (begun && beginning.unwritten) beginning.unwritten();
    throw;
  }
  if (refused && begun && beginning.unwritten) beginning.unwritten();
  // A wish that came twice at the same time, with the key of its own: both are what became of the first, be
  // it running or over already, so that the store refuses its id.
  const bool twice =
      refused ? refused->kind() == ErrorKind::conflict : submitted.joined && submitted.id == id;
  if (twice)
    if (const auto known = co_await repeated(parts, beginning.asked)) co_return *known;
  if (refused) throw *refused;
  if (!submitted.joined) co_await wait_a_moment(parts, id);
  auto view = co_await operation_by_id(parts, submitted.id);
  view.joined = submitted.joined;
  co_return view;
}

}  // namespace stackd::stacks
