// Tones of text and what they look like on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace stackd::client {

enum class Tone { plain, good, bad, warn, dim, bold };

struct Line {
  Tone tone = Tone::plain;
  std::string text;
};

// With escape sequences around it when `colour`.
std::string paint(std::string_view text, Tone tone, bool colour);
// The tone of a stack's or service's status, or of an operation's, step's or hook run's state.
Tone tone_of(std::string_view status);

}  // namespace stackd::client
