#include "daemon/logs/run_log.hpp"

#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::logs;

namespace {

store::HookRunRow run_of(const std::filesystem::path& stack, const std::string& id, int attempt = 1) {
  store::HookRunRow row;
  row.id = id;
  row.attempt = attempt;
  row.log = (stack / "hooks" / "web.post_start-0.log").string();
  return row;
}

std::string text_of(const std::filesystem::path& file) {
  return util::read_tail(file, 4 << 20);
}

// Appends each text, and finishes unless it goes on.
void write(const store::HookRunRow& row, std::vector<std::string> texts,
           std::vector<std::string> secrets = {}, bool finish = true) {
  const auto body = [&](asio::any_io_executor) -> awaitable<void> {
    async::FileThread files;
    RunLog log(files, row, secrets);
    for (const auto& text : texts) co_await log.append(text);
    if (finish) co_await log.finish();
  };
  test::run_coro([&](auto executor) { return body(executor); });
}

}  // namespace

TEST_CASE("each run keeps its own log, and the hook's log is the newest run's", "[logs]") {
  test::TempDir stack;
  const auto first = run_of(stack.path(), "op-1-4-1"), second = run_of(stack.path(), "op-2-4-1");
  write(first, {"one\n"});
  write(second, {"two\n"});
  CHECK(text_of(run_log(first.log, first.id)) == "one\n");
  CHECK(text_of(first.log) == "two\n");
  link_run_log(second);  // what is linked already
  CHECK(text_of(first.log) == "two\n");
  sweep_run_logs(stack.path(), {});  // the hook's log stays, whatever is forgotten
  CHECK_FALSE(std::filesystem::exists(run_log(first.log, first.id)));
  CHECK(text_of(run_log(second.log, second.id)) == "two\n");
  link_run_log(first);
  sweep_run_logs(stack.path(), {"op-1", "op-2", "op-3"});
  CHECK(std::filesystem::exists(run_log(second.log, second.id)));  // of an operation that is known
}

TEST_CASE("the tries of a run share its log", "[logs]") {
  test::TempDir stack;
  write(run_of(stack.path(), "op-1-4-1"), {"first try\n"});
  const auto again = run_of(stack.path(), "op-1-4-2", 2);
  write(again, {"second try\n"});
  CHECK(text_of(again.log) == "first try\nsecond try\n");
}

TEST_CASE("a log has whole lines without secrets, and the newest megabyte", "[logs]") {
  test::TempDir stack;
  const auto row = run_of(stack.path(), "op-1-4-1");
  write(row, {"the word is sw0rd", "fish\nand "}, {"sw0rdfish"}, false);
  CHECK(text_of(row.log) == "the word is ***\n");
  write(row, {"the word is sw0rd", "fish\nand ", "no more"}, {"sw0rdfish"});
  CHECK(text_of(row.log) == "the word is ***\nand no more");
  std::vector<std::string> many(3000, std::string(1023, 'x') + "\n");
  many.push_back("last\n");
  write(row, many);
  const auto text = text_of(row.log);
  CHECK(text.size() <= 1'000'000);
  CHECK(text.size() > 900'000);
  CHECK(text.ends_with("\nlast\n"));
}
