#include "client/http_message.hpp"

#include <algorithm>
#include <charconv>

#include "client/error.hpp"

namespace stackd::client {
namespace {

constexpr std::size_t k_longest_line = 8192;  // a chunk's size line or a trailer

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::uint64_t number(std::string_view text, int base, const char* what) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    throw TransportError(std::string("cannot read the daemon's answer: bad ") + what, 0);
  return value;
}

}  // namespace

std::string Head::header(const std::string& name) const {
  auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

Head parse_head(std::string_view text) {
  Head head;
  std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view first = trimmed(text.substr(0, end));
  if (first.size() < 12 || first.substr(0, 7) != "HTTP/1." || first[8] != ' ')
    throw TransportError("cannot read the daemon's answer: it does not speak HTTP/1", 0);
  head.status = static_cast<int>(number(first.substr(9, 3), 10, "status line"));
  while (end < text.size()) {
    std::size_t start = end + 1;
    end = std::min(text.find('\n', start), text.size());
    std::string_view line = trimmed(text.substr(start, end - start));
    if (line.empty()) continue;
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      throw TransportError("cannot read the daemon's answer: bad header line", 0);
    head.headers[lower(line.substr(0, colon))] = std::string(trimmed(line.substr(colon + 1)));
  }
  return head;
}

BodyDecoder::BodyDecoder(const Head& head) {
  if (head.status / 100 == 1 || head.status == 204 || head.status == 304) return;
  if (lower(head.header("transfer-encoding")).find("chunked") != std::string::npos) {
    state_ = State::chunk_size;
  } else if (std::string length = head.header("content-length"); !length.empty()) {
    left_ = number(length, 10, "content length");
    state_ = left_ == 0 ? State::done : State::fixed;
  } else {
    state_ = State::until_close;
  }
}

std::size_t BodyDecoder::feed(std::string_view in, std::string& out) {
  std::size_t used = 0;
  while (used < in.size() && state_ != State::done) {
    std::string_view rest = in.substr(used);
    if (state_ == State::until_close) {
      out.append(rest);
      used = in.size();
    } else if (state_ == State::fixed || state_ == State::chunk_data) {
      std::size_t take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      out.append(rest.substr(0, take));
      used += take;
      left_ -= take;
      if (left_ == 0) state_ = state_ == State::fixed ? State::done : State::chunk_end;
    } else {
      std::size_t newline = rest.find('\n');
      std::size_t take = newline == std::string_view::npos ? rest.size() : newline + 1;
      line_.append(rest.substr(0, take));
      used += take;
      if (line_.size() > k_longest_line)
        throw TransportError("cannot read the daemon's answer: a line of its framing is too long", 0);
      if (newline != std::string_view::npos) {
        std::string line(trimmed(std::string_view(line_).substr(0, line_.size() - 1)));
        line_.clear();
        end_of_line(line);
      }
    }
  }
  return used;
}

void BodyDecoder::end_of_line(const std::string& line) {
  switch (state_) {
    case State::chunk_size:
      left_ = number(trimmed(std::string_view(line).substr(0, line.find(';'))), 16, "chunk size");
      state_ = left_ == 0 ? State::trailer : State::chunk_data;
      break;
    case State::chunk_end:
      if (!line.empty())
        throw TransportError("cannot read the daemon's answer: a chunk is longer than it said", 0);
      state_ = State::chunk_size;
      break;
    default:  // the trailer: an empty line ends it
      if (line.empty()) state_ = State::done;
  }
}

}  // namespace stackd::client
