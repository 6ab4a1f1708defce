// X36: which entries run because of what they remember, whatever else an up has to do. Pure.
#pragma once

#include "daemon/model/stack.hpp"
#include "daemon/plan/up_graph.hpp"
#include "daemon/plan/wish.hpp"

namespace stackd::plan {

// Fills `due` of the choice. What comes before a service's start counts as a change of the service, which is
// made anew; the rest runs in its place.
void find_due(const model::Stack& stack, const Snapshot& seen, UpChoice& choice);
// up --rerun-hooks: what an entry remembers does not count; every entry of a phase that is named is due. up
// --skip-hooks: an entry that is named is not.
void heed_wish(const model::Stack& stack, const Wish& wish, Snapshot& seen);

}  // namespace stackd::plan
