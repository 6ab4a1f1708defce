#include "daemon/hooks/build_run.hpp"

#include <algorithm>

#include "daemon/docker/context.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/translate/build_request.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::string_view k_forgiven = "stackd: exit status ";

std::string run_name(const std::string& operation, int step, int attempt) {
  return operation + "-" + std::to_string(step) + ".hooks-" + std::to_string(attempt);
}

// BuildKit finds an image by its name alone, and looks for one that is not here at its registry: so while a
// build stands on it, the base has a name that nobody else gives or takes, of a registry that cannot be.
constexpr const char* k_base = "stackd.invalid/base";

std::string base_tag(const std::string& operation, int step, int attempt) {
  return operation + "-" + std::to_string(step) + "-" + std::to_string(attempt);
}

awaitable<void> remove_base(Tools& tools, std::string tag) {
  try {
    co_await tools.engine.remove_image(std::string(k_base) + ":" + tag);
  } catch (const Error& e) {
    // It was the image's last name, and a container uses it.
    if (e.kind() != ErrorKind::conflict) throw;
  }
}

}  // namespace

awaitable<void> end_build_run(Tools& tools, std::string stack, std::string operation, int step, int attempt) {
  co_await tools.builds.end(tools.paths.run(stack, run_name(operation, step, attempt)));
  co_await remove_base(tools, base_tag(operation, step, attempt));
}

BuildRun::BuildRun(Tools& tools, BuildOwner owner, int attempt)
    : tools_(tools),
      owner_(std::move(owner)),
      attempt_(attempt),
      changed_(tools.executor),
      newest_(tools.executor),
      secrets_(resolve::secret_values(*owner_.stack.spec, *owner_.stack.facts)) {}

// Rows for all of them; those that an earlier daemon had written are taken over.
awaitable<void> BuildRun::prepare(std::vector<translate::BuildHook> hooks) {
  for (auto& hook : hooks) {
    Layer layer;
    layer.hook = hook;
    layer.row = hook_row(tools_, owner_.operation, owner_.step, *hook.hook, id_of(*hook.hook));
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
awaitable<void> BuildRun::run(Derived what) {
  async::TaskGroup building(tools_.executor);
  building.spawn("build of " + what.tag, [this, what] { return build(what); });
  building.spawn("output of the build of " + what.tag,
                 [this]() { return newest_.tell([this](const std::string& line) { note_line(line); }); });
  auto watching = watch(building);
  co_await building.during(std::move(watching));
  if (out_of_time_)
    co_await end_build_run(tools_, owner_.stack.id, owner_.operation.id, owner_.step, attempt_);
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

awaitable<void> BuildRun::build(Derived what) {
  try {
    bool built = false;
    if (what.buildkit) built = co_await build_with_buildkit(what);
    if (!built) co_await build_classic(what);
  } catch (const Error& e) {
    failure_ = e;
  }
  done_ = true;
  changed_.notify();
}

translate::DerivedBuild BuildRun::plan(const Derived& what, const std::string& from, bool buildkit) const {
  std::vector<translate::BuildHook> hooks;
  for (const auto& layer : layers_) hooks.push_back(layer.hook);
  return translate::derived_build(owner_.stack.service(owner_.service), hooks, what.base,
                                  {from, owner_.stack.id, buildkit});
}

// False when the engine has no BuildKit after all.
awaitable<bool> BuildRun::build_with_buildkit(Derived what) {
  const auto& operation = owner_.operation.id;
  const auto base = base_tag(operation, owner_.step, attempt_);
  const auto made = plan(what, std::string(k_base) + ":" + base, true);
  lines_ = buildkit_lines(made.layers);
  co_await tools_.engine.tag_image(what.base.id, k_base, base);
  const auto run = run_name(operation, owner_.step, attempt_);
  images::Build build{.run = tools_.paths.run(owner_.stack.id, run),
                      .log = tools_.paths.stack(owner_.stack.id) / "hook-logs" / (run + ".log"),
                      .secrets = secrets_,
                      .line = [this](std::string line) { return take(std::move(line)); }};
  auto& request = build.request;
  request.image = what.tag;
  request.tags = {translate::full_name(what.tag)};
  request.attributes = {{"filename", "Dockerfile"}};
  request.attributes[std::string("label:") + translate::label::k_operation] = operation;
  if (what.no_cache) request.attributes["no-cache"] = "";
  const auto& platform = owner_.stack.service(owner_.service).container->platform;
  if (!platform.empty()) request.attributes["platform"] = platform;
  request.texts["dockerfile"]["Dockerfile"] = made.dockerfile;
  request.texts["context"];  // there is nothing in it
  request.streams = true;
  std::optional<Error> failure;
  bool built = false;
  try {
    built = co_await tools_.builds.build(std::move(build));
  } catch (const Error& e) {
    failure = e;
  }
  co_await remove_base(tools_, base);
  if (failure) throw *failure;
  co_return built;
}

awaitable<void> BuildRun::build_classic(Derived what) {
  std::vector<translate::BuildHook> hooks;
  for (const auto& layer : layers_) hooks.push_back(layer.hook);
  if (const auto needs = translate::needs_buildkit(hooks); !needs.empty())
    throw Error(ErrorKind::unsupported,
                "service '" + owner_.service + "': 'cache' of its hook " + needs +
                    " needs BuildKit, which this engine does not have or DOCKER_BUILDKIT=0 turns off");
  const auto made = plan(what, what.base.id, false);
  lines_ = classic_lines(made.steps);
  docker::ContextOptions from;
  from.dockerfile_inline = made.dockerfile;
  const auto packed = docker::open_context(tools_.executor, from);  // without a directory: nothing is read
  docker::BuildOptions options;
  options.dockerfile = packed.dockerfile;
  options.tags = {what.tag};
  options.no_cache = what.no_cache;
  options.labels[translate::label::k_operation] = owner_.operation.id;
  auto sink = [this](std::string line) { return take(std::move(line)); };
  co_await tools_.engine.build_image(packed.source, options, sink);
}

BuildRun::Layer* BuildRun::current() {
  const int layer = lines_ ? lines_->current() : -1;
  return layer < 0 ? nullptr : &layers_[static_cast<std::size_t>(layer)];
}

// A line of the builder's, as it comes.
awaitable<void> BuildRun::take(std::string line) {
  for (auto& event : lines_->take(line)) co_await take(std::move(event));
}

awaitable<void> BuildRun::take(BuildLines::Event event) {
  using Kind = BuildLines::Kind;
  const auto now = util::now_ms();
  if (event.kind == Kind::chatter) {
    tools_.journal.note(
        owner_.stack.id, owner_.operation.id, "progress",
        {{"service", owner_.service}, {"text", resolve::mask(util::valid_utf8(event.text), secrets_)}});
    co_return;
  }
  auto& layer = layers_[static_cast<std::size_t>(event.layer)];
  if (event.kind == Kind::cached || event.kind == Kind::ends) {
    layer.cached = layer.cached || event.kind == Kind::cached;
    if (!layer.began) layer.began = now;
    if (!layer.ended) layer.ended = now;
    changed_.notify();
    co_return;
  }
  if (event.kind == Kind::begins) {
    if (layer.began) co_return;  // the builder was begun again
    layer.began = now;
    layer.began_at = std::chrono::steady_clock::now();
    if (!layer.written_began) layer.row.started_at = now;
    layer.log.emplace(tools_.files, layer.row, secrets_);
    changed_.notify();
    co_return;
  }
  if (event.text.starts_with(k_forgiven)) {
    layer.forgiven = std::atoi(event.text.c_str() + k_forgiven.size());
    co_return;
  }
  (event.kind == Kind::err ? layer.err : layer.out).append(event.text + "\n");
  newest_of_ = layer.row.id;
  newest_.take(event.text);
  if (layer.log) co_await layer.log->append(event.text + "\n");
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
  const auto* layer = current();
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
  if (failure_ && (failure_->kind() == ErrorKind::no_engine || failure_->kind() == ErrorKind::unsupported))
    throw *failure_;
  std::string blamed;
  std::vector<std::string> details;
  for (auto& layer : layers_) {
    if (layer.written_ended) continue;
    if (&layer != current()) {
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
