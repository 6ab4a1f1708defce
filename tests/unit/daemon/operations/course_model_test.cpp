// A Course is its rows: one that is read back after every turn decides the same as the one that was never
// away, whatever happens to both. And every turn keeps the rules.
#include "daemon/operations/course.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/operations/stage.hpp"

using namespace stackd;
using namespace stackd::test;
using operations::Batch;
using operations::Course;
using operations::StepEnd;

namespace {

using Texts = std::vector<std::string>;

// What would be in the store.
struct Shelf {
  AllRows rows;
  Texts wrong;

  OperationRows& operation() { return rows["op"]; }
  void put(const Batch& batch, const std::vector<store::StepRow>& planned) {
    const auto before = rows;
    auto& there = operation();
    if (batch.insert_operation != before.empty())
      wrong.push_back("the operation was inserted twice or never");
    if (batch.insert_operation || batch.update_operation) there.row = batch.operation;
    for (const auto& step : batch.insert) there.steps.push_back(step);
    for (const auto& step : planned) there.steps.push_back(step);
    for (const auto& step : batch.update) {
      const auto place = static_cast<std::size_t>(step.ordinal);
      if (place < there.steps.size() && there.steps[place].key == step.key)
        there.steps[place] = step;
      else
        wrong.push_back(step.key + " was updated before it was inserted");
    }
  }
};

std::string text_of(const store::StepRow& step) {
  return std::to_string(step.ordinal) + " " + step.key + " " + step.kind + " " + step.service + " " +
         step.params + " " + step.needs + " " + step.on_error + " " + step.state + " '" + step.reason + "' " +
         step.result + (step.started_at ? " started" : "") + (step.ended_at ? " ended" : "");
}

std::string text_of(const store::OperationRow& row) {
  return row.id + " " + row.state + " " + row.mode + (row.cancel_requested ? " cancel " : " ") + row.error +
         " " + row.warnings + (row.ended_at ? " ended" : "");
}

// All of a batch but the times.
Texts text_of(const Batch& batch) {
  Texts lines{text_of(batch.operation)};
  lines.push_back(std::string(batch.insert_operation ? "insert " : "") +
                  (batch.update_operation ? "update " : "") + (batch.changed ? "changed " : "") +
                  (batch.ended ? "ended " : "") + (batch.roll_back ? "roll back " : "") +
                  std::to_string(batch.records.size()) + " records");
  for (const auto& step : batch.insert) lines.push_back("insert " + text_of(step));
  for (const auto& step : batch.update) lines.push_back("update " + text_of(step));
  for (const auto& step : batch.all) lines.push_back("all " + text_of(step));
  for (auto [kind, data] : batch.events) {
    data.erase("duration_ms");
    lines.push_back(kind + " " + operations::dump(data));
  }
  for (const auto ordinal : batch.started) lines.push_back("start " + std::to_string(ordinal));
  return lines;
}

// What others see of it between its turns.
Texts text_of(const Course& course) {
  Texts lines{text_of(course.row())};
  lines.push_back(std::string(course.begun() ? "begun " : "") + (course.ended() ? "ended " : "") +
                  (course.winding_down() ? "winding down" : ""));
  for (const auto ordinal : course.running())
    lines.push_back("runs " + std::to_string(ordinal) + " " + course.params(ordinal).dump());
  return lines;
}

Texts difference(const Texts& kept, const Texts& read) {
  if (kept == read) return {};
  Texts out;
  for (const auto& line : kept)
    if (std::find(read.begin(), read.end(), line) == read.end()) out.push_back("only kept: " + line);
  for (const auto& line : read)
    if (std::find(kept.begin(), kept.end(), line) == kept.end()) out.push_back("only read: " + line);
  if (out.empty()) out.push_back("the order differs");
  return out;
}

// One operation, from its first turn to its end, with what happens to it by chance.
class Life {
public:
  explicit Life(std::uint64_t seed) : script_(seed), dice_(seed, "course"), clean_(dice_.chance(20)) {
    store::OperationRow row{.id = "op", .stack_id = "s-1", .kind = dice_.chance(60) ? "up" : "down"};
    course_.emplace(row, script_.plan("op"), stops_on_failure);
  }

  Texts run() {
    for (int turns = 0; !course_->ended(); ++turns) {
      if (turns > 1000) return {"it does not end"};
      turn();
      if (!wrong_.empty()) break;
    }
    return wrong_;
  }
  const Texts& story() const { return story_; }

private:
  using Happening = std::function<void(Course&)>;

  void turn() {
    const bool may_start = !dice_.chance(10);
    const auto happenings = what_happens(may_start);
    std::optional<Course> again;
    if (!shelf_.rows.empty()) {
      again.emplace(shelf_.operation().row, shelf_.operation().steps, stops_on_failure);
      add(difference(text_of(*course_), text_of(*again)));
    }
    for (const auto& happening : happenings) {
      happening(*course_);
      if (again) happening(*again);
    }
    const auto batch = course_->advance(may_start);
    const auto text = text_of(batch);
    if (again) add(difference(text, text_of(again->advance(may_start))));
    story_.push_back("--");
    story_.insert(story_.end(), text.begin(), text.end());
    const auto before = shelf_.rows;
    auto planned = batch.roll_back ? roll_back(batch) : std::vector<store::StepRow>();
    shelf_.put(batch, planned);
    course_->add_stored(std::move(planned), "");
    add(shelf_.wrong);
    add(Rules::check(before, shelf_.rows, may_start));
  }

  std::vector<Happening> what_happens(bool may_start) {
    std::vector<Happening> list;
    const auto& course = *course_;
    if (!course.begun() && !course.row().cancel_requested) {
      if (may_start && dice_.chance(70)) list.push_back(&Course::begin);
      if (list.empty() && dice_.chance(20)) list.push_back(&Course::request_cancel);
    }
    for (const auto ordinal : course.running())
      if (dice_.chance(40)) list.push_back(end_of(ordinal));
    if (dice_.chance(5)) list.push_back([](Course& c) { c.warn("by the way"); });
    for (const auto ordinal : course.pending())
      if (!clean_ && dice_.chance(1))
        list.push_back([end = failure_of(ordinal)](Course& c) { c.fail_early(end); });
    if (!clean_ && dice_.chance(4)) list.push_back(&Course::request_cancel);
    if (!clean_ && dice_.chance(4)) list.push_back(&Course::run_out_of_time);
    return list;
  }

  Happening end_of(int ordinal) {
    const auto& step = course_->step(ordinal);
    const auto fate = script_.fate("op", step.key);
    StepEnd end{.ordinal = ordinal};
    if (course_->winding_down() && step.kind == "wait" && dice_.chance(70)) {
      end.how = StepEnd::How::cancelled;
      if (dice_.chance(20)) end.message = "not clean";
    } else if (fate.succeeds()) {
      end.outcome = fate.outcome;
      if (dice_.chance(10)) end.outcome.record = [](store::Database&) {};
    } else {
      end = failure_of(ordinal);
    }
    return [end](Course& course) { course.end_step(end); };
  }

  StepEnd failure_of(int ordinal) const {
    return {.ordinal = ordinal,
            .how = StepEnd::How::failed,
            .code = "failed",
            .message = course_->step(ordinal).key + " failed \xff",
            .details = {"a line"}};
  }

  std::vector<store::StepRow> roll_back(const Batch& batch) {
    try {
      const auto known = [&](const std::string& key) {
        return std::any_of(batch.all.begin(), batch.all.end(),
                           [&](const auto& step) { return step.key == key; });
      };
      return operations::rows_of("op", script_.rollback(batch.operation, batch.all), batch.all.size(), known,
                                 true);
    } catch (const std::exception&) {
      return {};
    }
  }

  void add(const Texts& lines) { wrong_.insert(wrong_.end(), lines.begin(), lines.end()); }

  Script script_;
  Dice dice_;
  bool clean_;  // nothing happens but ends of steps
  std::optional<Course> course_;
  Shelf shelf_;
  Texts wrong_, story_;
};

}  // namespace

TEST_CASE("a course that is read back after every turn decides as one that was never away",
          "[operations][model]") {
  for (const auto seed : model_seeds(150)) {
    Life life(seed);
    const auto wrong = life.run();
    if (wrong.empty()) continue;
    INFO("STACKD_MODEL_SEED=" << seed << " runs this one alone; its turns:\n" << joined(life.story()));
    FAIL(joined(wrong));
  }
}
