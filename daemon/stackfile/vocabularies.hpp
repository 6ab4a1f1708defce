// Whole files of the other vocabularies, which stand for a stack by themselves (lich.yaml, moat.yaml).
#pragma once

#include "daemon/stackfile/decode/decode.hpp"

namespace stackd::stackfile {

// lich.cpp, moat.cpp. Both add to the context's Problems and fill in what they could read.
void decode_lich(const Value& document, DecodeContext& context, Spec& spec);
void decode_moat(const Value& document, DecodeContext& context, Spec& spec);

}  // namespace stackd::stackfile
