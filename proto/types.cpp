#include "proto/types.hpp"

#include <type_traits>

#include "proto/fields.hpp"

namespace stackd::proto {
namespace {

template <class T>
bool is_empty(const T& value) {
  if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else if constexpr (std::is_arithmetic_v<T>) {
    return value == T{};
  } else {  // a struct (options): nothing in it is set
    return nlohmann::json(value).empty();
  }
}
template <class T>
bool is_empty(const std::optional<T>& value) {
  return !value;
}

template <class T>
void put(nlohmann::json& json, const char* name, const T& value) {
  json[name] = value;
}
template <class T>
void put(nlohmann::json& json, const char* name, const std::optional<T>& value) {
  json[name] = *value;
}

template <class T>
void take(const nlohmann::json& json, T& value) {
  json.get_to(value);
}
template <class T>
void take(const nlohmann::json& json, std::optional<T>& value) {
  value = json.get<T>();
}

template <class T>
void write(nlohmann::json& json, const T& object) {
  json = nlohmann::json::object();
  Fields<T>::each(object, [&](const char* name, const auto& member, Show show) {
    if (show == Show::always || !is_empty(member)) put(json, name, member);
  });
}

// Unknown fields are passed over, missing and null ones keep their default: the other side may be older or
// newer.
template <class T>
void read(const nlohmann::json& json, T& object) {
  if (!json.is_object())
    throw nlohmann::json::type_error::create(302, "expected an object, not " + std::string(json.type_name()),
                                             &json);
  Fields<T>::each(object, [&](const char* name, auto& member, Show) {
    const auto found = json.find(name);
    if (found != json.end() && !found->is_null()) take(*found, member);
  });
}

}  // namespace

#define STACKD_WIRE(Type)                                    \
  void to_json(nlohmann::json& json, const Type& object) {   \
    write(json, object);                                     \
  }                                                          \
  void from_json(const nlohmann::json& json, Type& object) { \
    read(json, object);                                      \
  }
STACKD_WIRE(Problem)
STACKD_WIRE(UpOptions)
STACKD_WIRE(ConfigOptions)
STACKD_WIRE(UpRequest)
STACKD_WIRE(ImagesRequest)
STACKD_WIRE(DownRequest)
STACKD_WIRE(ServicesRequest)
STACKD_WIRE(HooksRunRequest)
STACKD_WIRE(HooksResetRequest)
STACKD_WIRE(PruneRequest)
STACKD_WIRE(PlanRequest)
STACKD_WIRE(PlanChange)
STACKD_WIRE(PlanAction)
STACKD_WIRE(Plan)
STACKD_WIRE(Port)
STACKD_WIRE(ContainerView)
STACKD_WIRE(Service)
STACKD_WIRE(StepView)
STACKD_WIRE(FailureCause)
STACKD_WIRE(FailedPart)
STACKD_WIRE(OperationError)
STACKD_WIRE(Operation)
STACKD_WIRE(Stack)
STACKD_WIRE(Blocking)
STACKD_WIRE(Waited)
STACKD_WIRE(TopContainer)
STACKD_WIRE(TopProcess)
STACKD_WIRE(TopService)
STACKD_WIRE(Top)
STACKD_WIRE(HookRun)
STACKD_WIRE(Event)
STACKD_WIRE(LogLine)
STACKD_WIRE(Finding)
STACKD_WIRE(Validation)
STACKD_WIRE(Variable)
STACKD_WIRE(Config)
STACKD_WIRE(GraphEdge)
STACKD_WIRE(GraphNode)
STACKD_WIRE(Graph)
STACKD_WIRE(Command)
STACKD_WIRE(Surroundings)
STACKD_WIRE(PublishedPort)
STACKD_WIRE(ContainerRow)
STACKD_WIRE(ContainersRequest)
STACKD_WIRE(ContainersDone)
STACKD_WIRE(VolumeView)
STACKD_WIRE(WindowSize)
STACKD_WIRE(ExecRequest)
STACKD_WIRE(ExecStarted)
STACKD_WIRE(ExecResult)
STACKD_WIRE(RunRequest)
STACKD_WIRE(AttachRequest)
STACKD_WIRE(PathStat)
STACKD_WIRE(ImageRow)
STACKD_WIRE(StatsRow)
STACKD_WIRE(Stats)
STACKD_WIRE(ContainerEvent)
STACKD_WIRE(Info)
#undef STACKD_WIRE

}  // namespace stackd::proto
