// Going on equals never having stopped: what a seed tells comes to the same end wherever daemons die in it.
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/stage.hpp"

using namespace stackd;
using namespace stackd::test;

namespace {

// What happens to the operation once a step of it has ended.
enum class Turn { nothing, cancel, late, follow };

// Numbers of commits, counted through all daemons of a run, and what becomes of them.
using Deaths = std::map<std::size_t, Verdict>;

// What must not depend on where a daemon died: all but the times, and the order of what ran side by side.
std::vector<std::string> end_of_all(const Stage& stage) {
  store::Database db(stage.file);
  std::vector<std::string> lines;
  for (const auto& [id, operation] : all_rows(db)) {
    const auto& row = operation.row;
    lines.push_back(id + " " + row.state + " " + row.mode + " " + row.error + " " + row.warnings);
    for (const auto& step : operation.steps)
      lines.push_back(id + " " + step.key + " " + step.state + " '" + step.reason + "' " + step.result);
  }
  lines.push_back("stack " + store::Stacks::get(db, "s-1")->status);
  for (const auto& effect : stage.effects) lines.push_back("effect " + effect);
  std::vector<std::string> events;
  for (const auto& event : store::Events::after(db, 0, "", "", 100000)) {
    auto data = nlohmann::json::parse(event.data);
    data.erase("duration_ms");
    events.push_back(event.operation_id + " " + event.kind + " " + data.dump());
  }
  std::sort(events.begin(), events.end());
  lines.insert(lines.end(), events.begin(), events.end());
  return lines;
}

// One operation, and maybe one that follows it. Steps end one after another, in an order that is the seed's.
class Plot {
public:
  Plot(std::uint64_t seed, std::filesystem::path file, Deaths deaths)
      : seed_(seed), stage_(std::move(file), Script(seed, weather())), deaths_(std::move(deaths)) {
    Dice dice(seed, "plot");
    turn_ = static_cast<Turn>(dice.below(4));
    kind_ = dice.chance(60) ? "up" : "down";
    if (turn_ == Turn::follow) kind_ = "up";
    hinge_ = dice.pick(stage_.script.plan("op1")).key;
  }

  void run() {
    for (int i = 0; stage_.wrong.empty(); ++i) {
      stage_.expect(i < 2000, "it never ends");
      if (!daemon_ || daemon_->over()) begin();
      daemon_->settle();
      if (daemon_->asked())
        answer();
      else if (!take_turn() && !end_next())
        break;
    }
    daemon_->leave();
    daemon_.reset();
    for (const auto& [id, operation] : stage_.rows)
      stage_.expect(operation.row.state != "running", id + " has not ended");
  }
  std::size_t commits() const { return commits_; }
  // Those that changed more than steps.
  const std::vector<std::size_t>& turning_points() const { return turning_points_; }
  Stage& stage() { return stage_; }

private:
  static Weather weather() {
    Weather weather;
    weather.most_steps = 12;
    weather.no_rollback = 25;
    weather.unclean = 0;  // a daemon that dies does not hear what a step says that was let go
    return weather;
  }

  void begin() {
    if (daemon_) daemon_->leave();
    daemon_.reset();
    turned_ = false;
    daemon_ = std::make_unique<Daemon>(stage_);
    if (stage_.rows.empty()) daemon_->spawn([this] { return submit("op1", kind_); });
  }

  void answer() {
    const auto death = deaths_.find(++commits_);
    if (daemon_->asked_for_more_than_steps()) turning_points_.push_back(commits_);
    daemon_->answer(death == deaths_.end() ? Verdict::pass : death->second);
  }

  // By what is written, so that every daemon comes to it.
  bool take_turn() {
    const auto found = stage_.rows.find("op1");
    if (turn_ == Turn::nothing || turned_ || found == stage_.rows.end()) return false;
    const auto& operation = found->second;
    if (!has_ended(*operation.find(hinge_))) return false;
    turned_ = true;
    if (turn_ == Turn::follow) {
      if (stage_.rows.count("op2")) return false;
      daemon_->spawn([this] { return submit("op2", "down"); });
    } else if (turn_ == Turn::cancel) {
      daemon_->spawn([this]() -> awaitable<void> { co_await daemon_->runner().cancel("op1"); });
    } else {
      stage_.late.insert("op1");
      daemon_->time_passes();
    }
    return true;
  }

  bool end_next() {
    const auto& tickets = daemon_->tickets();
    if (tickets.empty()) return false;
    const auto order = [this](const auto& a, const auto& b) {
      return Dice(seed_, "order " + a->operation + a->key).next() <
             Dice(seed_, "order " + b->operation + b->key).next();
    };
    daemon_->end(*std::min_element(tickets.begin(), tickets.end(), order));
    return true;
  }

  awaitable<void> submit(std::string id, std::string kind) {
    operations::Submission submission;
    submission.row = {.id = id, .stack_id = "s-1", .kind = kind, .request = R"({"limit":1})"};
    submission.row.created_at = util::now_ms();
    submission.steps = stage_.script.plan(id);
    submission.gate = [](const store::OperationRow&) { return operations::Decision::follow; };
    try {
      co_await daemon_->runner().submit(std::move(submission));
    } catch (const util::Error& error) {
      stage_.expect(stage_.dead, error.what());
    }
  }

  std::uint64_t seed_;
  Stage stage_;
  Deaths deaths_;
  Turn turn_ = Turn::nothing;
  std::string kind_, hinge_;
  bool turned_ = false;
  std::size_t commits_ = 0;
  std::vector<std::size_t> turning_points_;
  std::unique_ptr<Daemon> daemon_;
};

struct Run {
  std::vector<std::string> end;  // or what went wrong
  std::size_t commits = 0;
  std::vector<std::size_t> turning_points;
};

Run play(std::uint64_t seed, const Deaths& deaths, const FreshStore& store) {
  Plot plot(seed, store.next(), deaths);
  plot.run();
  const auto& wrong = plot.stage().wrong;
  return {wrong.empty() ? end_of_all(plot.stage()) : wrong, plot.commits(), plot.turning_points()};
}

// One or two daemons die, mostly where much changes.
Deaths some_deaths(const Run& run, Dice& dice) {
  Deaths deaths;
  for (auto count = 1 + dice.below(2); count > 0; --count) {
    const auto commit = dice.chance(60) ? dice.pick(run.turning_points) : 1 + dice.below(run.commits);
    deaths[commit] = dice.chance(50) ? Verdict::die_before : Verdict::die_after;
  }
  return deaths;
}

std::string text_of(const Deaths& deaths) {
  std::string text;
  for (const auto& [commit, verdict] : deaths)
    text += (verdict == Verdict::die_before ? " before " : " after ") + std::to_string(commit);
  return text;
}

std::string text_of(const std::vector<std::string>& undisturbed, const std::vector<std::string>& disturbed) {
  std::string text;
  for (const auto& line : undisturbed)
    if (std::find(disturbed.begin(), disturbed.end(), line) == disturbed.end())
      text += "undisturbed: " + line + "\n";
  for (const auto& line : disturbed)
    if (std::find(undisturbed.begin(), undisturbed.end(), line) == undisturbed.end())
      text += "disturbed: " + line + "\n";
  return text;
}

}  // namespace

TEST_CASE("wherever daemons die, the end is that of one that lived", "[operations][model][crash]") {
  const Quiet quiet;
  const FreshStore store;
  for (const auto seed : model_seeds(25)) {
    const auto undisturbed = play(seed, {}, store);
    Dice dice(seed, "deaths");
    for (int i = 0; i < 6; ++i) {
      const auto deaths = some_deaths(undisturbed, dice);
      const auto disturbed = play(seed, deaths, store);
      if (disturbed.end == undisturbed.end) continue;
      FAIL("STACKD_MODEL_SEED=" << seed << " runs this one alone; daemons died" << text_of(deaths) << " of "
                                << undisturbed.commits << " commits:\n"
                                << text_of(undisturbed.end, disturbed.end));
    }
  }
}
