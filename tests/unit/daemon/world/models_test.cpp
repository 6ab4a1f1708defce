#include "daemon/world/models.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "daemon/model/json.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/stored_facts.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loop_thread.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;

namespace {

// A store with one stack, `demo`, that has a secret in a file.
struct Stored {
  Stored()
      : files(loop.executor()),
        journal(loop.executor(), directory.path() / "state.db"),
        models(journal, files) {
    spec.directory = directory.path().string();
    spec.secrets["s"].file = (directory.path() / "secret").string();
    facts.stack_id = "demo";
    store::StackRow row;
    row.id = "demo";
    row.spec = model::to_json(spec).dump();
    row.facts = model::to_json(facts).dump();
    store::Stacks::put(journal.direct(), row);
  }

  model::Stack get() {
    return loop.run<model::Stack>([this] { return models.get("demo"); });
  }
  model::Stack fresh() {
    return loop.run<model::Stack>([this] { return models.fresh("demo"); });
  }
  void change(std::function<void(model::Facts&)> change) {
    loop.run<void>([this, change] { return models.change_facts("demo", change); });
  }
  std::string stored_facts() {
    auto read = [](store::Database& db) { return store::Stacks::get(db, "demo")->facts; };
    return loop.run<std::string>([this, read] { return journal.run(read); });
  }
  void write_secret(const std::string& text) { directory.write("secret", text); }

  test::TempDir directory;
  test::LoopThread loop;
  async::UserFiles files;
  model::Spec spec;
  model::Facts facts;
  journal::Journal journal;
  world::Models models;
};

// Whoever looks at the files waits, until they are told what the secret is.
class Busy {
public:
  explicit Busy(Stored& stored) : pipe_(stored.directory.path() / "secret") {
    std::filesystem::remove(pipe_);
    REQUIRE(::mkfifo(pipe_.c_str(), 0600) == 0);
  }
  void end(const std::string& secret) { std::ofstream(pipe_) << secret; }

private:
  std::filesystem::path pipe_;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a stack that is read from the store is looked at, and get() says that until somebody looks again",
          "[world][models]") {
  Stored stored;
  stored.write_secret("first");
  CHECK(stored.get().facts->seen.secret_texts == Texts{"first"});
  stored.write_secret("second");
  CHECK(stored.get().facts->seen.secret_texts == Texts{"first"});
  CHECK(stored.fresh().facts->seen.secret_texts == Texts{"second"});
  CHECK(stored.get().facts->seen.secret_texts == Texts{"second"});
  CHECK(stored.models.known("demo")->facts->seen.secret_texts == Texts{"second"});
}

TEST_CASE("what was seen outlives a change of the facts, and is not in the store", "[world][models]") {
  Stored stored;
  stored.write_secret("not-for-the-disk");
  stored.get();
  stored.change([](model::Facts& facts) { facts.lich_id = "changed"; });
  CHECK(stored.get().facts->lich_id == "changed");
  CHECK(stored.get().facts->seen.secret_texts == Texts{"not-for-the-disk"});
  CHECK(stored.stored_facts().find("changed") != std::string::npos);
  CHECK(stored.stored_facts().find("not-for-the-disk") == std::string::npos);
}

TEST_CASE("an up brings what it has seen", "[world][models]") {
  Stored stored;
  auto facts = stored.facts;
  facts.seen.secret_texts = {"seen by the up"};
  const model::Stack put{"demo", std::make_shared<model::Spec>(stored.spec),
                         std::make_shared<model::Facts>(facts)};
  stored.loop.call([&] {
    stored.models.put(put);
    return true;
  });
  CHECK(stored.get().facts->seen.secret_texts == Texts{"seen by the up"});
}

TEST_CASE("facts that change while somebody looks at the files stay changed", "[world][models]") {
  Stored stored;
  stored.get();
  Busy busy(stored);
  auto looking = asio::co_spawn(stored.loop.executor(), stored.models.fresh("demo"), asio::use_future);
  stored.change([](model::Facts& facts) { facts.captured["tunnel"]["url"] = "https://x"; });
  busy.end("new");
  const auto looked = looking.get();
  CHECK(looked.facts->captured.at("tunnel").at("url") == "https://x");
  CHECK(looked.facts->seen.secret_texts == Texts{"new"});
  CHECK(stored.get().facts->captured.at("tunnel").at("url") == "https://x");
  CHECK(stored.get().facts->seen.secret_texts == Texts{"new"});
}

TEST_CASE("an up that begins while somebody looks is not undone by what he saw", "[world][models]") {
  Stored stored;
  stored.get();
  Busy busy(stored);
  auto looking = asio::co_spawn(stored.loop.executor(), stored.models.fresh("demo"), asio::use_future);
  auto next = std::make_shared<model::Spec>(stored.spec);
  next->profile = "next";
  const model::Stack put{"demo", next, std::make_shared<model::Facts>(stored.facts)};
  stored.loop.call([&] {
    stored.models.put(put);
    return true;
  });
  busy.end("of the old spec");
  looking.get();
  CHECK(stored.get().spec->profile == "next");
  CHECK(stored.get().facts == put.facts);
}

TEST_CASE("a stack that the store does not know is not found, however it is asked for", "[world][models]") {
  Stored stored;
  CHECK_THROWS_AS(stored.loop.run<model::Stack>([&] { return stored.models.get("nope"); }), util::Error);
  CHECK_THROWS_AS(stored.loop.run<model::Stack>([&] { return stored.models.fresh("nope"); }), util::Error);
}

TEST_CASE("what secrets are made of is not in the store: it is in a file of the stack's, and goes with it",
          "[world][models]") {
  Stored stored;
  stored.spec.secrets["v"].environment = "TOKEN";
  auto put = [&stored](store::Database& db) {
    auto row = *store::Stacks::get(db, "demo");
    model::Facts facts;
    facts.stack_id = "demo";
    facts.caller = {{"TOKEN", "the-value"}, {"HOME", "/h"}};
    row.spec = model::to_json(stored.spec).dump();
    row.facts = world::stored_facts(db, "demo", stored.spec, facts);
    store::Stacks::put(db, row);
  };
  stored.loop.run<void>([&] { return stored.journal.run(put); });
  CHECK(stored.stored_facts().find("the-value") == std::string::npos);
  CHECK(stored.get().facts->caller ==
        std::map<std::string, std::string>{{"HOME", "/h"}, {"TOKEN", "the-value"}});
  const auto file = stored.directory.path() / "stacks/demo/withheld.json";
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  // A change of the facts keeps it out too; a caller that does not have it any more takes it away.
  stored.change([](model::Facts& facts) { facts.lich_id = "x"; });
  CHECK(stored.stored_facts().find("the-value") == std::string::npos);
  stored.change([](model::Facts& facts) { facts.caller.erase("TOKEN"); });
  stored.models.forget("demo");
  CHECK(!stored.get().facts->caller.contains("TOKEN"));
}
