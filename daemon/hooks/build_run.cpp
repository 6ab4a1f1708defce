#include "daemon/hooks/build_run.hpp"

#include <algorithm>

#include "daemon/docker/context.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::string_view k_forgiven = "stackd: exit status ";

}  // namespace

BuildRun::BuildRun(Tools& tools, BuildOwner owner, int attempt)
    : tools_(tools),
      owner_(std::move(owner)),
      attempt_(attempt),
      changed_(tools.executor),
      newest_(tools.executor),
      secrets_(resolve::secret_values(*owner_.stack.spec, *owner_.stack.facts)) {}

// Rows for all of them; those that an earlier daemon had written are taken over.
awaitable<void> BuildRun::prepare(std::vector<translate::BuildHook> hooks, std::vector<int> steps) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    Layer layer;
    layer.hook = hooks[i];
    layer.step = steps[i];
    layer.row = hook_row(tools_, owner_.operation, owner_.step, *hooks[i].hook, id_of(*hooks[i].hook));
    layer.row.attempt = attempt_;
    const auto known = co_await known_run(tools_, layer.row.id);
    if (known) layer.row = *known;
    layer.written_began = known.has_value();
    layer.written_ended = known && known->state != "running";
    layers_.push_back(std::move(layer));
  }
}

// The image is there, and this operation made it: what was not written down of it is.
awaitable<void> BuildRun::close_made() {
  for (auto& layer : layers_)
    if (!layer.written_ended) {
      const RunEnd end{"succeeded", "", "", 0, ""};
      co_await write_end(layer, end);
    }
}

awaitable<void> BuildRun::skip_all(std::string why) {
  for (auto& layer : layers_)
    if (!layer.written_ended) co_await skip_run(tools_, layer.row, why);
}

// Builds; throws what made it fail, its hook's record written.
awaitable<void> BuildRun::run(std::string dockerfile, std::string tag, bool no_cache) {
  async::TaskGroup building(tools_.executor);
  building.spawn("build of " + tag,
                 [this, dockerfile, tag, no_cache] { return build(dockerfile, tag, no_cache); });
  building.spawn("output of the build of " + tag,
                 [this]() { return newest_.tell([this](const std::string& line) { note_line(line); }); });
  auto watching = watch(building);
  co_await building.during(std::move(watching));
  co_await close_all();
}

std::vector<std::string> BuildRun::warnings() const {
  std::vector<std::string> texts;
  for (const auto& layer : layers_)
    if (layer.forgiven && layer.hook.hook->on_failure == model::OnFailure::warn)
      texts.push_back(words_of(layer, *layer.forgiven));
  return texts;
}

std::string BuildRun::id_of(const model::Hook& hook) const {
  return owner_.operation.id + "-" + std::to_string(owner_.step) + "." + model::to_string(hook.phase) +
         std::to_string(hook.index) + "-" + std::to_string(attempt_);
}

awaitable<void> BuildRun::build(std::string dockerfile, std::string tag, bool no_cache) {
  docker::ContextOptions from;
  from.dockerfile_inline = dockerfile;
  const auto packed = docker::open_context(tools_.executor, from);  // without a directory: nothing is read
  docker::BuildOptions options;
  options.dockerfile = packed.dockerfile;
  options.tags = {tag};
  options.no_cache = no_cache;
  options.labels[translate::label::k_operation] = owner_.operation.id;
  auto sink = [this](std::string line) { return take(std::move(line)); };
  try {
    co_await tools_.engine.build_image(packed.source, options, sink);
  } catch (const Error& e) {
    failure_ = e;
  }
  done_ = true;
  changed_.notify();
}

BuildRun::Layer* BuildRun::layer_of(int step) {
  const auto found =
      std::find_if(layers_.begin(), layers_.end(), [&](const Layer& layer) { return layer.step == step; });
  return found == layers_.end() ? nullptr : &*found;
}

// A line of the builder's, as it comes.
awaitable<void> BuildRun::take(std::string text) {
  const auto line = output_.sort(text);
  const auto now = util::now_ms();
  if (line.kind == docker::BuildOutput::Kind::step) {
    if (auto* before = layer_of(output_.step() - 1)) {
      if (!before->began) before->began = now;
      before->ended = now;
    }
    tools_.journal.note(
        owner_.stack.id, owner_.operation.id, "progress",
        {{"service", owner_.service}, {"text", resolve::mask(util::valid_utf8(line.text), secrets_)}});
    changed_.notify();
    co_return;
  }
  auto* layer = layer_of(output_.step());
  if (!layer) co_return;
  if (line.kind == docker::BuildOutput::Kind::cached) layer->cached = true;
  if (!layer->cached && !layer->began) {
    layer->began = now;
    layer->began_at = std::chrono::steady_clock::now();
    if (!layer->written_began) layer->row.started_at = now;
    layer->log.emplace(tools_.files, layer->row, secrets_);
    changed_.notify();
  }
  if (line.kind != docker::BuildOutput::Kind::out && line.kind != docker::BuildOutput::Kind::err) co_return;
  if (line.text.starts_with(k_forgiven)) {
    layer->forgiven = std::atoi(line.text.c_str() + k_forgiven.size());
    co_return;
  }
  (line.kind == docker::BuildOutput::Kind::err ? layer->err : layer->out).append(line.text + "\n");
  newest_of_ = layer->row.id;
  newest_.take(line.text);
  if (layer->log) co_await layer->log->append(line.text + "\n");
}

void BuildRun::note_line(const std::string& line) {
  const auto found = std::find_if(layers_.begin(), layers_.end(),
                                  [&](const Layer& layer) { return layer.row.id == newest_of_; });
  if (found == layers_.end()) return;
  tools_.journal.note(owner_.stack.id, owner_.operation.id, "hook.output",
                      {{"run", found->row.id},
                       {"phase", found->row.phase},
                       {"index", found->row.index},
                       {"service", found->row.service},
                       {"line", resolve::mask(util::valid_utf8(line), secrets_)}});
}

// Writes down what begins and what ends, until the build is over or one of its hooks is out of time.
awaitable<void> BuildRun::watch(async::TaskGroup& building) {
  for (;;) {
    if (auto* layer = unwritten()) {
      co_await write_progress(*layer);
      continue;
    }
    if (done_) co_return;
    const auto left = time_left();
    if (!left) {
      co_await changed_.wait();
    } else if (left->count() <= 0 || !co_await changed_.wait_for(*left)) {
      if (time_left().value_or(std::chrono::milliseconds(1)).count() > 0) continue;
      out_of_time_ = true;
      building.cancel_all();
      co_return;
    }
  }
}

BuildRun::Layer* BuildRun::unwritten() {
  for (auto& layer : layers_) {
    if (layer.began && !layer.written_began) return &layer;
    if (layer.ended && !layer.written_ended) return &layer;
  }
  return nullptr;
}

awaitable<void> BuildRun::write_progress(Layer& layer) {
  if (layer.began && !layer.written_began && !layer.cached) {
    layer.written_began = true;
    co_await begin_run(tools_, layer.row);
    co_return;
  }
  if (layer.ended) co_await write_done(layer);
}

// It has come to its end, and so the build went on.
awaitable<void> BuildRun::write_done(Layer& layer) {
  const bool was_begun = layer.written_began;
  layer.written_began = layer.written_ended = true;
  layer.row.ended_at = layer.ended;
  if (layer.cached && !was_begun) {
    if (attempt_ == 1) co_await skip_run(tools_, layer.row, "unchanged: its layer is there already");
    co_return;
  }
  RunEnd end{"succeeded", layer.out.text(), layer.err.text(), 0, ""};
  if (layer.forgiven) end = {"failed", end.out, end.err, layer.forgiven, words_of(layer, *layer.forgiven)};
  co_await write_end(layer, end);
}

awaitable<void> BuildRun::write_end(Layer& layer, RunEnd end) {
  layer.written_ended = true;
  if (layer.log) co_await layer.log->finish();
  layer.row = co_await end_run(tools_, owner_.stack, layer.row, std::move(end));
}

std::optional<std::chrono::milliseconds> BuildRun::time_left() {
  const auto* layer = layer_of(output_.step());
  if (!layer || !layer->began || layer->ended) return std::nullopt;
  const auto limit = resolve::timeout_of(*layer->hook.hook, owner_.stack.spec->runtime);
  if (!limit) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(layer->began_at + *limit -
                                                      std::chrono::steady_clock::now());
}

std::string BuildRun::words_of(const Layer& layer, int code) const {
  const auto& row = layer.row;
  const auto tail = util::join(
      util::tail_lines(util::trim(layer.err.text()).empty() ? layer.out.text() : layer.err.text()), "\n");
  return row.service + " " + row.phase + "[" + std::to_string(row.index) + "] exited with status " +
         std::to_string(code) + (tail.empty() ? "" : ": " + tail);
}

// The build is over: what is left unwritten is what it ended at, and what comes after.
awaitable<void> BuildRun::close_all() {
  if (!failure_ && !out_of_time_) {
    for (auto& layer : layers_) {
      if (!layer.ended) layer.ended = util::now_ms();
      if (!layer.written_ended) co_await write_done(layer);
    }
    co_return;
  }
  if (failure_ && failure_->kind() == ErrorKind::no_engine) throw *failure_;
  std::string blamed;
  std::vector<std::string> details;
  for (auto& layer : layers_) {
    if (layer.written_ended) continue;
    if (layer.step != output_.step()) {
      co_await skip_run(tools_, layer.row, "the build stopped before it");
      continue;
    }
    const auto code = failure_ ? docker::build_status(failure_->what()) : -1;
    const auto name = layer.row.service + " " + layer.row.phase + "[" + std::to_string(layer.row.index) + "]";
    std::optional<int> status;
    if (out_of_time_) {
      blamed = name + " was out of time and was ended";
    } else if (code >= 0) {
      blamed = words_of(layer, code);
      status = code;
    } else {
      blamed = "cannot run " + name + ": " + failure_->what();
    }
    details = {"hook: " + layer.row.command, "log: " + layer.row.log};
    const RunEnd end{"failed", layer.out.text(), layer.err.text(), status, blamed};
    co_await write_end(layer, end);
  }
  if (!blamed.empty()) throw Error(ErrorKind::failed, blamed, details);
  throw Error(ErrorKind::failed,
              "cannot put the build hooks of service '" + owner_.service +
                  "' on top of its image: " + failure_->what(),
              failure_->details());
}

}  // namespace stackd::hooks
