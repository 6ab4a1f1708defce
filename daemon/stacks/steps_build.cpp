// Build hooks. A derived image is found again by its tag, which names all that went into it, and by the label
// of the operation that built it; a layer that was made before is the builder's to find.
#include <algorithm>

#include "daemon/async/task_group.hpp"
#include "daemon/docker/context.hpp"
#include "daemon/hooks/policy.hpp"
#include "daemon/hooks/run_log.hpp"
#include "daemon/spec/environment.hpp"
#include "daemon/stacks/build_hooks.hpp"
#include "daemon/stacks/build_output.hpp"
#include "daemon/stacks/hook_records.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;

constexpr std::string_view k_forgiven = "stackd: exit status ";

// One hook of a build that runs.
struct Layer {
  BuildHook hook;
  int step = 0;  // of the builder's
  store::HookRunRow row;
  std::optional<hooks::RunLog> log;
  hooks::NewestBytes out{4096}, err{4096};
  util::TimeMs began = 0, ended = 0;
  bool cached = false, written_began = false, written_ended = false;
  std::optional<int> forgiven;  // it failed, and its on_failure says that this does not count
};

class HookBuild {
public:
  HookBuild(Services& services, StepContext context, Model model, int attempt)
      : services_(services),
        context_(std::move(context)),
        model_(std::move(model)),
        attempt_(attempt),
        changed_(services.executor) {}

  std::vector<Layer> layers;

  // Rows for all of them; those that an earlier daemon had written are taken over.
  awaitable<void> prepare(std::vector<BuildHook> hooks, std::vector<int> steps) {
    for (std::size_t i = 0; i < hooks.size(); ++i) {
      Layer layer;
      layer.hook = hooks[i];
      layer.step = steps[i];
      layer.row = hook_row(services_, context_.operation, context_.step.ordinal, *hooks[i].hook,
                           id_of(*hooks[i].hook));
      layer.row.attempt = attempt_;
      const auto known = co_await known_run(services_, layer.row.id);
      if (known) layer.row = *known;
      layer.written_began = known.has_value();
      layer.written_ended = known && known->state != "running";
      layers.push_back(std::move(layer));
    }
  }

  // The image is there, and this operation made it: what was not written down of it is.
  awaitable<void> close_made() {
    for (auto& layer : layers)
      if (!layer.written_ended) {
        const RunEnd end{"succeeded", "", "", 0, ""};
        co_await write_end(layer, end);
      }
  }

  awaitable<void> skip_all(std::string why) {
    for (auto& layer : layers)
      if (!layer.written_ended) co_await skip_run(services_, layer.row, why);
  }

  // Builds; throws what made it fail, its hook's record written.
  awaitable<void> run(std::string dockerfile, std::string tag, bool no_cache) {
    async::TaskGroup building(services_.executor);
    building.spawn("build of " + tag,
                   [this, dockerfile, tag, no_cache] { return build(dockerfile, tag, no_cache); });
    auto watching = watch(building);
    co_await building.during(std::move(watching));
    co_await close_all();
  }

  std::vector<std::string> warnings() const {
    std::vector<std::string> texts;
    for (const auto& layer : layers)
      if (layer.forgiven && layer.hook.hook->on_failure == spec::OnFailure::warn)
        texts.push_back(words_of(layer, *layer.forgiven));
    return texts;
  }

private:
  std::string id_of(const spec::Hook& hook) const {
    return context_.operation.id + "-" + std::to_string(context_.step.ordinal) + "." +
           spec::to_string(hook.phase) + std::to_string(hook.index) + "-" + std::to_string(attempt_);
  }

  awaitable<void> build(std::string dockerfile, std::string tag, bool no_cache) {
    docker::ContextOptions from;
    from.dockerfile_inline = dockerfile;
    auto packed = docker::open_context(services_.executor, from);
    docker::BuildOptions options;
    options.dockerfile = packed.dockerfile;
    options.tags = {tag};
    options.no_cache = no_cache;
    options.labels[label::k_operation] = context_.operation.id;
    auto sink = [this](const std::string& line) { take(line); };
    try {
      co_await services_.engine.build_image(packed.source, options, sink);
    } catch (const Error& e) {
      failure_ = e;
    }
    done_ = true;
    changed_.notify();
  }

  Layer* layer_of(int step) {
    const auto found =
        std::find_if(layers.begin(), layers.end(), [&](const Layer& layer) { return layer.step == step; });
    return found == layers.end() ? nullptr : &*found;
  }

  // A line of the builder's, as it comes.
  void take(const std::string& text) {
    const auto line = output_.sort(text);
    const auto now = util::now_ms();
    if (line.kind == BuildOutput::Kind::step) {
      if (auto* before = layer_of(output_.step() - 1)) {
        if (!before->began) before->began = now;
        before->ended = now;
      }
      services_.journal.note(model_.id, context_.operation.id, "progress",
                             {{"service", context_.step.service}, {"text", util::valid_utf8(line.text)}});
      return changed_.notify();
    }
    auto* layer = layer_of(output_.step());
    if (!layer) return;
    if (line.kind == BuildOutput::Kind::cached) layer->cached = true;
    if (!layer->cached && !layer->began) {
      layer->began = now;
      if (!layer->written_began) layer->row.started_at = now;
      layer->log.emplace(hooks::link_run_log(layer->row), spec::secret_values(*model_.spec, *model_.facts),
                         attempt_ == 1);
      changed_.notify();
    }
    if (line.kind != BuildOutput::Kind::out && line.kind != BuildOutput::Kind::err) return;
    if (line.text.starts_with(k_forgiven)) {
      layer->forgiven = std::atoi(line.text.c_str() + k_forgiven.size());
      return;
    }
    (line.kind == BuildOutput::Kind::err ? layer->err : layer->out).append(line.text + "\n");
    if (layer->log) layer->log->append(line.text + "\n");
    services_.journal.note(model_.id, context_.operation.id, "hook.output",
                           {{"run", layer->row.id},
                            {"phase", layer->row.phase},
                            {"index", layer->row.index},
                            {"service", layer->row.service},
                            {"line", util::valid_utf8(line.text)}});
  }

  // Writes down what begins and what ends, until the build is over or one of its hooks is out of time.
  awaitable<void> watch(async::TaskGroup& building) {
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

  Layer* unwritten() {
    for (auto& layer : layers) {
      if (layer.began && !layer.written_began) return &layer;
      if (layer.ended && !layer.written_ended) return &layer;
    }
    return nullptr;
  }

  awaitable<void> write_progress(Layer& layer) {
    if (layer.began && !layer.written_began && !layer.cached) {
      layer.written_began = true;
      co_await begin_run(services_, layer.row);
      co_return;
    }
    if (layer.ended) co_await write_done(layer);
  }

  // It has come to its end, and so the build went on.
  awaitable<void> write_done(Layer& layer) {
    const bool was_begun = layer.written_began;
    layer.written_began = layer.written_ended = true;
    layer.row.ended_at = layer.ended;
    if (layer.cached && !was_begun) {
      if (attempt_ == 1) co_await skip_run(services_, layer.row, "unchanged: its layer is there already");
      co_return;
    }
    RunEnd end{"succeeded", layer.out.text(), layer.err.text(), 0, ""};
    if (layer.forgiven) end = {"failed", end.out, end.err, layer.forgiven, words_of(layer, *layer.forgiven)};
    co_await write_end(layer, end);
  }

  awaitable<void> write_end(Layer& layer, RunEnd end) {
    layer.written_ended = true;
    if (layer.log) {
      layer.log->finish();
      hooks::link_run_log(layer.row);
    }
    layer.row = co_await end_run(services_, model_, layer.row, std::move(end));
  }

  std::optional<std::chrono::milliseconds> time_left() {
    const auto* layer = layer_of(output_.step());
    if (!layer || !layer->began || layer->ended) return std::nullopt;
    const auto limit = hooks::timeout_of(*layer->hook.hook, model_.spec->runtime, false);
    if (!limit) return std::nullopt;
    return std::chrono::milliseconds(layer->began + limit->count() - util::now_ms());
  }

  std::string words_of(const Layer& layer, int code) const {
    const auto& row = layer.row;
    const auto tail = util::join(
        util::tail_lines(util::trim(layer.err.text()).empty() ? layer.out.text() : layer.err.text()), "\n");
    return row.service + " " + row.phase + "[" + std::to_string(row.index) + "] exited with status " +
           std::to_string(code) + (tail.empty() ? "" : ": " + tail);
  }

  // The build is over: what is left unwritten is what it ended at, and what comes after.
  awaitable<void> close_all() {
    if (!failure_ && !out_of_time_) {
      for (auto& layer : layers) {
        if (!layer.ended) layer.ended = util::now_ms();
        if (!layer.written_ended) co_await write_done(layer);
      }
      co_return;
    }
    if (failure_ && failure_->kind() == ErrorKind::no_engine) throw *failure_;
    std::string blamed;
    std::vector<std::string> details;
    for (auto& layer : layers) {
      if (layer.written_ended) continue;
      if (layer.step != output_.step()) {
        co_await skip_run(services_, layer.row, "the build stopped before it");
        continue;
      }
      const auto code = failure_ ? build_status(failure_->what()) : -1;
      const auto name =
          layer.row.service + " " + layer.row.phase + "[" + std::to_string(layer.row.index) + "]";
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
                "cannot put the build hooks of service '" + context_.step.service +
                    "' on top of its image: " + failure_->what(),
                failure_->details());
  }

  Services& services_;
  StepContext context_;
  Model model_;
  int attempt_ = 1;
  BuildOutput output_;
  async::Signal changed_;
  std::optional<Error> failure_;
  bool done_ = false, out_of_time_ = false;
};

std::string operation_in(const docker::ImageDetails& image) {
  const auto found = image.labels.find(label::k_operation);
  return found == image.labels.end() ? std::string() : found->second;
}

int retries_of(const std::vector<BuildHook>& hooks) {
  int most = 0;
  for (const auto& hook : hooks) most = std::max(most, hook.hook->retries);
  return most;
}

}  // namespace

awaitable<Outcome> derive_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  const auto image = context.result_of(context.params.at("image_step").get<std::string>());
  const auto base = base_of(image);
  const auto previous = co_await previous_state(services, context.operation);
  const auto hooks = build_hooks(*model.spec, *model.facts, service, previous);
  Outcome outcome;
  if (hooks.empty()) {  // `if` holds for none
    outcome.result = image;
    co_return outcome;
  }
  const auto tag = derived_tag(service, hooks, base);
  const auto plan = derived_build(service, hooks, base, model.id);
  const bool rebuild = context.params.value("rebuild", false);
  NameLock lock(services.deriving);  // services, and stacks, that share hooks and base build once
  co_await lock.take(tag);
  auto there = co_await services.engine.inspect_image(tag);
  const bool made_now = there && operation_in(*there) == context.operation.id;
  const bool build = !there || (rebuild && !made_now);
  auto delay = hooks.front().hook->retry_delay;
  for (int attempt = 1;; ++attempt, delay *= 2) {
    HookBuild layers(services, context, model, attempt);
    co_await layers.prepare(hooks, plan.steps);
    if (!build) {
      if (made_now && context.resumed)
        co_await layers.close_made();
      else
        co_await layers.skip_all("unchanged: image " + tag + " has it");
      break;
    }
    std::optional<Error> failure;
    try {
      co_await layers.run(plan.dockerfile, tag, rebuild);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::failed || attempt > retries_of(hooks)) throw;
      failure = e;
    }
    if (!failure) {
      outcome.warnings = layers.warnings();
      there = co_await services.engine.inspect_image(tag);
      break;
    }
    co_await async::sleep_for(delay);
  }
  if (!there) throw Error(ErrorKind::failed, "image '" + tag + "' is not there after it was built");
  outcome.result = describe(*there);
  outcome.result["tag"] = tag;
  co_return outcome;
}

}  // namespace stackd::stacks
