#include "daemon/api/exec_frames.hpp"

#include <nlohmann/json.hpp>

#include "daemon/api/answers.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"
#include "proto/error_codes.hpp"
#include "proto/frames.hpp"

namespace stackd::api {
namespace {

using proto::Frame;
using stacks::ExecInput;
using util::Error;

// What the client sends, taken apart. A frame that is none, or is not for us to get, is a client to leave.
class Frames {
public:
  explicit Frames(http::Duplex& duplex) : duplex_(duplex) {}

  awaitable<ExecInput> next() {
    for (;;) {
      if (auto read = next_read()) co_return input_of(std::move(*read));
      if (broken_) co_return ExecInput{};
      const auto bytes = co_await duplex_.read();
      if (bytes.empty()) co_return ExecInput{};
      reader_.feed(bytes);
    }
  }

private:
  std::optional<proto::FrameReader::Read> next_read() {
    try {
      return reader_.next();
    } catch (const std::runtime_error&) {
      broken_ = true;
      return std::nullopt;
    }
  }

  static ExecInput input_of(proto::FrameReader::Read read) {
    ExecInput input;
    switch (read.kind) {
      case Frame::input:
        input.kind = read.data.empty() ? ExecInput::Kind::end : ExecInput::Kind::data;
        input.data = std::move(read.data);
        return input;
      case Frame::detach:
        input.kind = ExecInput::Kind::detach;
        return input;
      case Frame::resize:
        return size_of(read.data);
      case Frame::signal:
        input.kind = ExecInput::Kind::signal;
        input.data = std::move(read.data);
        return input;
      default:
        return input;
    }
  }

  static ExecInput size_of(const std::string& text) {
    ExecInput input;
    try {
      input.size = nlohmann::json::parse(text).get<proto::WindowSize>();
      input.kind = ExecInput::Kind::resize;
    } catch (const nlohmann::json::exception&) {
    }
    return input;
  }

  http::Duplex& duplex_;
  proto::FrameReader reader_;
  bool broken_ = false;
};

std::string problem_text(const Error& error) {
  proto::Problem problem;
  problem.code = error.code();
  problem.title = proto::error_code(problem.code).title;
  problem.detail = error.what();
  problem.status = proto::error_code(problem.code).status;
  problem.errors = error.details();
  return dump(problem);
}

}  // namespace

awaitable<void> talk_in_frames(http::Duplex& duplex, ExecCall call) {
  Frames frames(duplex);
  stacks::ExecEnds ends;
  ends.preparing = [&duplex](proto::Operation operation) -> awaitable<void> {
    co_await duplex.start();
    auto text = proto::frame(Frame::preparing, dump(operation));
    co_await duplex.write(std::move(text));
  };
  ends.started = [&duplex](proto::ExecStarted started) -> awaitable<void> {
    if (!duplex.started()) co_await duplex.start();
    auto text = proto::frame(Frame::started, dump(started));
    co_await duplex.write(std::move(text));
  };
  ends.output = [&duplex](bool errors, std::string_view bytes) -> awaitable<void> {
    auto text = proto::frame(errors ? Frame::errors : Frame::output, bytes);
    co_await duplex.write(std::move(text));
  };
  ends.input = [&frames] { return frames.next(); };
  std::string last;
  try {
    const auto result = co_await call(std::move(ends));
    if (!duplex.started()) co_await duplex.start();  // a detached one
    last = proto::frame(Frame::ended, dump(result));
  } catch (const Error& error) {
    if (!duplex.started()) throw;
    last = proto::frame(Frame::failed, problem_text(error));
  }
  co_await duplex.write(std::move(last));
}

}  // namespace stackd::api
