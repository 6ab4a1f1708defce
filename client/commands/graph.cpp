// stackctl graph: which service comes after which.
#include "client/commands/commands.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {
namespace {

std::string edge_text(const proto::GraphEdge& edge) {
  std::string text = edge.service + " (" + (edge.implied ? "implied, " : "") + edge.condition;
  if (!edge.required) text += ", optional";
  if (edge.restart) text += ", restart";
  return text + ")";
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

std::string dot_text(const proto::Graph& graph) {
  std::string text = "digraph " + quoted(graph.name) + " {\n  rankdir=LR;\n";
  for (const auto& node : graph.services) {
    const char* shape = node.kind == "container" ? "box" : node.kind == "oneshot" ? "note" : "ellipse";
    text += "  " + quoted(node.name) + " [shape=" + shape + "];\n";
  }
  for (const auto& node : graph.services)
    for (const auto& edge : node.depends_on)
      text += "  " + quoted(node.name) + " -> " + quoted(edge.service) + " [label=" + quoted(edge.condition) +
              (edge.implied || !edge.required ? ", style=dashed" : "") + "];\n";
  return text + "}\n";
}

}  // namespace

int run_graph(Context& context, const GraphArgs& args) {
  proto::UpRequest request = context.up_request();
  request.services = args.services;
  const proto::Graph graph = context.api().graph(request);
  if (context.json() || args.format == "json") {
    context.document(nlohmann::json(graph).dump());
  } else if (args.format == "dot") {
    context.out(dot_text(graph));
  } else {
    Table table({"SERVICE", "KIND", "COMES AFTER"});
    for (const auto& node : graph.services) {
      std::vector<std::string> after;
      for (const auto& edge : node.depends_on) after.push_back(edge_text(edge));
      table.add({node.name, node.kind, after.empty() ? "-" : join(after, ", ")});
    }
    context.out(table);
  }
  return proto::k_done;
}

}  // namespace stackd::client
